import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'

/**
 * `/healthz`: the process answers. `/readyz`: it can do its work: not stopping, and the database answers with the schema
 * this code was written for or a newer one, which a newer version of the service beside it made.
 */
export function addHealthRoutes(
  server: HttpServer,
  deps: { readonly pool: Pool; readonly schemaVersion: number; readonly draining?: AbortSignal },
): void {
  const quiet = { config: { quiet: true } }
  server.get('/healthz', quiet, async () => ({ success: true, data: { status: 'ok' } }))
  server.get('/readyz', quiet, async () => {
    if (deps.draining?.aborted === true)
      throw new ApiError('SERVICE_UNAVAILABLE', 'The process is stopping.', { retryAfterSeconds: 1 })
    const version = await readSchemaVersion(deps.pool)
    if (version < deps.schemaVersion)
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
