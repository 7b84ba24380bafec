import {
  AdminIncidentsQuery,
  IncidentParams,
  IncidentView,
  listBody,
  ResolveBody,
} from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import { actOf } from './act.ts'
import { listIncidents } from './incident.repository.ts'
import type { Incident } from './incident.repository.ts'
import { NUMBER_ID, pageOf, pageWish } from './page.ts'
import { resolveOneIncident } from './resolve-incident.ts'

const TAGS = ['admin']

/** What a person must look at, and saying that somebody has. */
export function adminIncidentRoutes(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.get(
    '/incidents',
    {
      schema: {
        summary: 'What a person must look at, newest first',
        tags: TAGS,
        querystring: AdminIncidentsQuery,
        response: { 200: listBody(IncidentView) },
      },
    },
    async ({ query }) => {
      const page = pageWish(query, NUMBER_ID)
      return pageOf(await listIncidents(pool, query, page), page.limit, incidentView)
    },
  )

  server.post(
    '/incidents/:id/resolve',
    {
      schema: {
        summary: 'Says that an incident is taken care of, and how',
        tags: TAGS,
        params: IncidentParams,
        body: ResolveBody,
        response: { 200: successBody(IncidentView) },
      },
    },
    async (request) => {
      const act = actOf(request, request.body)
      const incident = await resolveOneIncident(pool, Number(request.params.id), act)
      return { success: true as const, data: incidentView(incident) }
    },
  )
}

function incidentView(incident: Incident): IncidentView {
  return {
    ...incident,
    id: String(incident.id),
    raisedAt: incident.raisedAt.toISOString(),
    resolvedAt: incident.resolvedAt?.toISOString() ?? null,
  }
}
