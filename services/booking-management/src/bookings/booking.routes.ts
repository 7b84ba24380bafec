import { Type } from 'typebox'
import { CreateBookingBody } from '@passerelle/contracts/booking'
import type { Authenticate } from '@passerelle/kit/caller'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { allow, callerOf, maySee, userOf } from '../caller.ts'
import { findBooking, listBookings } from './booking.repository.ts'
import { bookingAnswer } from './booking.ts'
import { createBooking } from './create-booking.ts'
import type { CreateBookingDeps } from './create-booking.ts'
import { cancelBooking } from './give-up-booking.ts'

const Params = Type.Object({ bookingId: Type.String() })
const ListQuery = Type.Object({
  limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]?|100)$', description: '1 to 100' })),
})
const CreateHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
})
const LIST_LIMIT = 50

export function addBookingRoutes(
  server: HttpServer,
  deps: CreateBookingDeps & { readonly authenticate: Authenticate },
): void {
  server.post(
    '/api/v1/bookings',
    {
      onRequest: allow(deps.authenticate, 'user'),
      schema: { body: CreateBookingBody, headers: CreateHeaders },
    },
    async (request, reply) => {
      const user = userOf(request)
      const booking = await createBooking(deps, {
        customerId: user.customerId,
        email: user.email,
        idempotencyKey: request.headers['idempotency-key'] ?? null,
        body: request.body,
      })
      return reply.code(201).send({ success: true, data: bookingAnswer(booking) })
    },
  )

  server.get(
    '/api/v1/bookings',
    { onRequest: allow(deps.authenticate, 'user'), schema: { querystring: ListQuery } },
    async (request) => {
      const limit = Number(request.query.limit ?? LIST_LIMIT)
      const bookings = await listBookings(deps.pool, userOf(request).customerId, limit)
      return { success: true, data: bookings.map(bookingAnswer) }
    },
  )

  server.get(
    '/api/v1/bookings/:bookingId',
    { onRequest: allow(deps.authenticate, 'anyone'), schema: { params: Params } },
    async (request) => {
      const booking = await findBooking(deps.pool, request.params.bookingId)
      // The same answer for another customer's booking and for none: an id tells nothing.
      if (!booking || !maySee(callerOf(request), booking))
        throw new ApiError('NOT_FOUND', 'There is no such booking.')
      return { success: true, data: bookingAnswer(booking) }
    },
  )

  server.post(
    '/api/v1/bookings/:bookingId/cancel',
    { onRequest: allow(deps.authenticate, 'user'), schema: { params: Params } },
    async (request) => {
      const user = userOf(request)
      const booking = await cancelBooking(deps, request.params.bookingId, (found) => maySee(user, found))
      return { success: true, data: bookingAnswer(booking) }
    },
  )
}
