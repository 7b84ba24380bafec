import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'

export type HealthDeps = {
  readonly pool: Pool
  readonly schemaVersion: number
  readonly isStopping: () => boolean
}

/** `/healthz` says the process lives; `/readyz` says it can do its work: database reachable, schema current, not stopping. */
export function healthRoutes(server: HttpServer, deps: HealthDeps): void {
  server.get('/healthz', { config: { quiet: true } }, async () => ({
    success: true,
    data: { status: 'alive' },
  }))
  server.get('/readyz', { config: { quiet: true } }, async (request, reply) => {
    const because = await whyNotReady(deps)
    if (because === null) return { success: true, data: { status: 'ready' } }
    return reply
      .code(503)
      .header('retry-after', '1')
      .send({
        success: false,
        error: { code: 'SERVICE_UNAVAILABLE', message: because, requestId: request.id },
      })
  })
}

async function whyNotReady(deps: HealthDeps): Promise<string | null> {
  if (deps.isStopping()) return 'The process is stopping.'
  try {
    const { rows } = await deps.pool.query<{ version: number }>(
      'select max(version) as version from schema_migrations',
    )
    const version = rows[0]?.version
    return version === deps.schemaVersion
      ? null
      : `The schema is at version ${version}, the code at ${deps.schemaVersion}.`
  } catch {
    return 'The database does not answer.'
  }
}
