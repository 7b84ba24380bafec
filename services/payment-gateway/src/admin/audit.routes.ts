import { AdminAuditQuery, AuditVerificationView, AuditView, listBody } from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import type { AuditRow } from './audit.ts'
import { listAudit, verifyAudit } from './audit.repository.ts'
import { NUMBER_ID, pageOf, pageWish } from './page.ts'

const TAGS = ['admin']

/** What operators did, and whether the record of it is what was written. */
export function adminAuditRoutes(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.get(
    '/audit',
    {
      schema: {
        summary: 'What operators did, newest first; `subject` is what was acted on, or its payment',
        tags: TAGS,
        querystring: AdminAuditQuery,
        response: { 200: listBody(AuditView) },
      },
    },
    async ({ query }) => {
      const { limit, after } = pageWish(query, NUMBER_ID)
      const rows = await listAudit(pool, {
        subject: query.subject ?? null,
        beforeId: after === null ? null : Number(after.id),
        limit: limit + 1,
      })
      return pageOf(rows.map(withCursor), limit, auditView)
    },
  )

  server.get(
    '/audit/verify',
    {
      schema: {
        summary: 'Recomputes the whole chain of the audit log',
        tags: TAGS,
        response: { 200: successBody(AuditVerificationView) },
      },
    },
    async () => ({ success: true as const, data: await verifyAudit(pool) }),
  )
}

function withCursor(row: AuditRow) {
  // Only the id decides; the time is there because every cursor has one.
  const at = row.at.toISOString().replace('T', ' ').replace('Z', '+00')
  return { ...row, cursor: { at, id: String(row.id) } }
}

function auditView(row: AuditRow): AuditView {
  return { ...row, at: row.at.toISOString() }
}
