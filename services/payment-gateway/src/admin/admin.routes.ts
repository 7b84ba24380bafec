import { OverviewView } from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import type { Authenticate } from '@passerelle/kit/caller'
import type { Pool } from '@passerelle/kit/database'
import type { HttpServer } from '@passerelle/kit/http'
import { operatorOf } from '../ops/operator.ts'
import { adminAuditRoutes } from './audit.routes.ts'
import { adminCustomerRoutes } from './customer.routes.ts'
import { adminDeliveryRoutes } from './delivery.routes.ts'
import { adminEventRoutes } from './event.routes.ts'
import { adminIncidentRoutes } from './incident.routes.ts'
import { readOverview } from './overview.repository.ts'
import { adminPaymentRoutes } from './payment-list.routes.ts'

export type AdminRoutesDeps = {
  readonly pool: Pool
  readonly authenticate: Authenticate
  readonly isBreakerOpen: () => boolean
}

/** The back office, under /admin. Who is no operator is refused before anything of the request is read. */
export function adminRoutes(parent: HttpServer, deps: AdminRoutesDeps): void {
  void parent.register(
    async (server: HttpServer) => {
      server.decorateRequest('operator', null)
      server.addHook('onRequest', async (request) => {
        request.operator = await operatorOf(request, deps.authenticate)
      })
      adminEventRoutes(server, deps)
      adminDeliveryRoutes(server, deps)
      adminPaymentRoutes(server, deps)
      adminIncidentRoutes(server, deps)
      adminAuditRoutes(server, deps)
      adminCustomerRoutes(server, deps)
      overviewRoute(server, deps)
    },
    { prefix: '/admin' },
  )
}

function overviewRoute(server: HttpServer, { pool, isBreakerOpen }: AdminRoutesDeps): void {
  server.get(
    '/overview',
    {
      schema: {
        summary: 'How much is owed, stuck and waiting for a person',
        tags: ['admin'],
        response: { 200: successBody(OverviewView) },
      },
    },
    async () => {
      const overview = await readOverview(pool)
      return {
        success: true as const,
        data: {
          events: {
            owed: overview.owedEvents,
            oldestOwedSeconds: overview.oldestOwedSeconds,
            failed: overview.failedEvents,
          },
          deliveries: {
            pending: overview.pendingDeliveries,
            oldestPendingSeconds: overview.oldestPendingSeconds,
            dead: overview.deadDeliveries,
            breakerOpen: isBreakerOpen(),
          },
          incidents: { open: overview.openIncidents },
        },
      }
    },
  )
}
