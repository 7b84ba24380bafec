import {
  AdminEventsQuery,
  batchBody,
  EventDetail,
  EventParams,
  EventView,
  listBody,
  ReasonBody,
  ReplayManyBody,
} from '@passerelle/contracts/admin'
import { successBody } from '@passerelle/contracts/envelope'
import type { Pool } from '@passerelle/kit/database'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { actOf } from './act.ts'
import { findEvent, listEvents } from './event-list.repository.ts'
import type { StoredEvent } from './event-list.repository.ts'
import { manyWish } from './many.ts'
import { pageOf, pageWish } from './page.ts'
import { replayEvent, replayEvents } from './replay-events.ts'

const TAGS = ['admin']

/** The inbox: what Stripe sent, what became of it, and applying it again. */
export function adminEventRoutes(server: HttpServer, deps: { readonly pool: Pool }): void {
  lookUpEvents(server, deps)
  replayRoutes(server, deps)
}

function lookUpEvents(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.get(
    '/events',
    {
      schema: {
        summary: 'The events Stripe sent, newest first',
        tags: TAGS,
        querystring: AdminEventsQuery,
        response: { 200: listBody(EventView) },
      },
    },
    async ({ query }) => {
      const page = pageWish(query)
      return pageOf(await listEvents(pool, query, page), page.limit, eventView)
    },
  )

  server.get(
    '/events/:eventId',
    {
      schema: {
        summary: 'One event with its payload',
        tags: TAGS,
        params: EventParams,
        response: { 200: successBody(EventDetail) },
      },
    },
    async ({ params }) => {
      const event = await findEvent(pool, params.eventId)
      if (event === null) throw new ApiError('NOT_FOUND', 'There is no such event.')
      return { success: true as const, data: { ...eventView(event), ...payloadOf(event) } }
    },
  )
}

function replayRoutes(server: HttpServer, { pool }: { readonly pool: Pool }): void {
  server.post(
    '/events/:eventId/replay',
    {
      schema: {
        summary: 'Applies an event again; what it has done already changes nothing',
        tags: TAGS,
        params: EventParams,
        body: ReasonBody,
        response: { 200: successBody(EventView) },
      },
    },
    async (request) => {
      const event = await replayEvent(pool, request.params.eventId, actOf(request, request.body))
      return { success: true as const, data: eventView(event) }
    },
  )

  server.post(
    '/events/replay',
    {
      schema: {
        summary: 'Applies the oldest events of a filter again, or tells which these would be (dryRun)',
        tags: TAGS,
        body: ReplayManyBody,
        response: { 200: batchBody(EventView) },
      },
    },
    async (request) => {
      const wish = manyWish(request.body)
      const { matched, events } = await replayEvents(pool, wish, actOf(request, request.body))
      const items = events.map(eventView)
      return {
        success: true as const,
        data: { dryRun: wish.dryRun, matched, selected: items.length, items },
      }
    },
  )
}

function eventView(event: StoredEvent): EventView {
  return {
    ...event,
    createdAt: event.createdAt.toISOString(),
    receivedAt: event.receivedAt.toISOString(),
    processedAt: event.processedAt?.toISOString() ?? null,
    retryAt: event.retryAt?.toISOString() ?? null,
    redactedAt: event.redactedAt?.toISOString() ?? null,
  }
}

function payloadOf({ payload, redactedAt }: { readonly payload: Buffer; readonly redactedAt: Date | null }): {
  payload: unknown
  payloadBase64: string | null
} {
  if (redactedAt !== null) return { payload: null, payloadBase64: null }
  try {
    return { payload: JSON.parse(payload.toString('utf8')), payloadBase64: null }
  } catch {
    return { payload: null, payloadBase64: payload.toString('base64') }
  }
}
