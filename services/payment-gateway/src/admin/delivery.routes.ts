import {
  AdminDeliveriesQuery,
  batchBody,
  DeliveryDetail,
  DeliveryParams,
  DeliveryView,
  listBody,
  ReasonBody,
  RedeliverManyBody,
} from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { actOf } from './act.ts'
import { findDelivery, listDeliveries, listDeliveryAttempts } from './delivery-list.repository.ts'
import type { StoredDelivery } from './delivery-list.repository.ts'
import { manyWish } from './many.ts'
import { pageOf, pageWish } from './page.ts'
import { redeliver, redeliverMany } from './redeliver-deliveries.ts'

const TAGS = ['admin']

/** The outbox: what the booking service is told, how often it was tried, and sending it again. */
export function adminDeliveryRoutes(server: HttpServer, deps: { readonly pool: Pool }): void {
  lookUpDeliveries(server, deps)
  redeliverRoutes(server, deps)
}

function lookUpDeliveries(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.get(
    '/deliveries',
    {
      schema: {
        summary: 'What the booking service is owed and was told, newest first',
        tags: TAGS,
        querystring: AdminDeliveriesQuery,
        response: { 200: listBody(DeliveryView) },
      },
    },
    async ({ query }) => {
      const page = pageWish(query)
      return pageOf(await listDeliveries(pool, query, page), page.limit, deliveryView)
    },
  )

  server.get(
    '/deliveries/:id',
    {
      schema: {
        summary: 'One delivery with its body and every attempt',
        tags: TAGS,
        params: DeliveryParams,
        response: { 200: successBody(DeliveryDetail) },
      },
    },
    async ({ params }) => {
      const delivery = await findDelivery(pool, params.id)
      if (delivery === null) throw new ApiError('NOT_FOUND', 'There is no such delivery.')
      const attempts = await listDeliveryAttempts(pool, delivery.id)
      return {
        success: true as const,
        data: {
          ...deliveryView(delivery),
          body: delivery.body,
          attempts: attempts.map((attempt) => ({ ...attempt, at: attempt.at.toISOString() })),
        },
      }
    },
  )
}

function redeliverRoutes(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.post(
    '/deliveries/:id/redeliver',
    {
      schema: {
        summary: 'Sends a delivery again, with the same version and key',
        tags: TAGS,
        params: DeliveryParams,
        body: ReasonBody,
        response: { 200: successBody(DeliveryView) },
      },
    },
    async (request) => {
      const delivery = await redeliver(pool, request.params.id, actOf(request, request.body))
      return { success: true as const, data: deliveryView(delivery) }
    },
  )

  server.post(
    '/deliveries/redeliver',
    {
      schema: {
        summary: 'Sends the oldest deliveries of a filter again, or tells which these would be (dryRun)',
        tags: TAGS,
        body: RedeliverManyBody,
        response: { 200: batchBody(DeliveryView) },
      },
    },
    async (request) => {
      const wish = manyWish(request.body)
      const { matched, deliveries } = await redeliverMany(pool, wish, actOf(request, request.body))
      const items = deliveries.map(deliveryView)
      return {
        success: true as const,
        data: { dryRun: wish.dryRun, matched, selected: items.length, items },
      }
    },
  )
}

function deliveryView(delivery: StoredDelivery): DeliveryView {
  return {
    ...delivery,
    dueAt: delivery.dueAt.toISOString(),
    createdAt: delivery.createdAt.toISOString(),
    deliveredAt: delivery.deliveredAt?.toISOString() ?? null,
    redeliveredAt: delivery.redeliveredAt?.toISOString() ?? null,
  }
}
