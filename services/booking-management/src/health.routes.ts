import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'

/** `/healthz`: the process answers. `/readyz`: so does its database, with the schema this code was written for. */
export function addHealthRoutes(
  server: HttpServer,
  deps: { readonly pool: Pool; readonly schemaVersion: number },
): void {
  const quiet = { config: { quiet: true } }
  server.get('/healthz', quiet, async () => ({ success: true, data: { status: 'ok' } }))
  server.get('/readyz', quiet, async () => {
    const version = await readSchemaVersion(deps.pool)
    if (version !== deps.schemaVersion)
      throw new ApiError(
        'SERVICE_UNAVAILABLE',
        `The schema is at version ${version}, this code needs ${deps.schemaVersion}.`,
      )
    return { success: true, data: { status: 'ready', schemaVersion: version } }
  })
}

async function readSchemaVersion(pool: Pool): Promise<number> {
  try {
    const { rows } = await pool.query<{ version: number | null }>(
      'select max(version) as version from schema_migrations',
    )
    return rows[0]?.version ?? 0
  } catch (error) {
    throw new ApiError('SERVICE_UNAVAILABLE', 'The database cannot be reached.', { cause: error })
  }
}
