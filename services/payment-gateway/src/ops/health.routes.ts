import { successBody } from '@passerelle/contracts/envelope'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { Type } from 'typebox'

export type HealthDeps = {
  readonly pool: Pool
  readonly schemaVersion: number
  readonly isStopping: () => boolean
}

/**
 * `/healthz` says the process lives; `/readyz` says it can do its work: not stopping, and the database answers with the
 * schema this code was written for or a newer one. A newer version that rolls out beside this one migrates first, and
 * must not take every process of this version out of service.
 */
export function healthRoutes(server: HttpServer, deps: HealthDeps): void {
  server.get(
    '/healthz',
    {
      config: { quiet: true },
      schema: {
        summary: 'Whether the process lives',
        tags: ['operations'],
        response: { 200: successBody(Type.Object({ status: Type.Literal('alive') })) },
      },
    },
    async () => ({ success: true as const, data: { status: 'alive' as const } }),
  )
  server.get(
    '/readyz',
    {
      config: { quiet: true },
      schema: {
        summary: 'Whether it can do its work: database reachable, schema current, not stopping',
        tags: ['operations'],
        response: { 200: successBody(Type.Object({ status: Type.Literal('ready') })) },
      },
    },
    async () => {
      const because = await whyNotReady(deps)
      if (because !== null) throw new ApiError('SERVICE_UNAVAILABLE', because, { retryAfterSeconds: 1 })
      return { success: true as const, data: { status: 'ready' as const } }
    },
  )
}

async function whyNotReady(deps: HealthDeps): Promise<string | null> {
  if (deps.isStopping()) return 'The process is stopping.'
  try {
    const { rows } = await deps.pool.query<{ version: number }>(
      'select max(version) as version from schema_migrations',
    )
    const version = rows[0]?.version
    return version !== undefined && version >= deps.schemaVersion
      ? null
      : `The schema is at version ${version}, the code at ${deps.schemaVersion}.`
  } catch {
    return 'The database does not answer.'
  }
}
