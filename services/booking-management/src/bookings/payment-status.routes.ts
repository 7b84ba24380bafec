import type { preValidationAsyncHookHandler } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { ANNOUNCED_STATUSES } from '@passerelle/contracts/booking'
import { MAXIMUM_CHARGE_MINOR } from '@passerelle/contracts/money'
import type { Authenticate } from '@passerelle/kit/caller'
import { ApiError } from '@passerelle/kit/errors'
import type { HttpServer } from '@passerelle/kit/http'
import { allow } from '../caller.ts'
import { applyPaymentStatus } from './apply-payment-status.ts'
import type { ApplyPaymentStatusDeps, PaymentStatusOutcome } from './apply-payment-status.ts'
import { bookingAnswer } from './booking.ts'
import type { PaymentUpdate } from './booking.ts'

// Printable ASCII: PostgreSQL refuses \u0000, and an id has no use for anything else.
const Id = Type.String({ pattern: '^[!-~]{1,255}$' })
const Time = Type.String({ format: 'date-time' })
const AmountMinor = Type.Integer({ minimum: 1, maximum: MAXIMUM_CHARGE_MINOR })

const Params = Type.Object({ bookingId: Type.String() })
const Headers = Type.Object({ 'idempotency-key': Type.Optional(Type.String({ maxLength: 255 })) })
export const PaymentStatusBody = Type.Object({
  status: Type.Union(ANNOUNCED_STATUSES.map((status) => Type.Literal(status))),
  paymentIntentId: Type.Union([Id, Type.Null()]),
  paidAt: Type.Optional(Type.Union([Time, Type.Null()])),
  refundedAt: Type.Optional(Type.Union([Time, Type.Null()])),
  version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  paymentId: Id,
  amountMinor: AmountMinor,
  currency: Type.String({ pattern: '^[a-z]{3}$' }),
  refundedAmountMinor: Type.Optional(Type.Integer({ minimum: 0, maximum: MAXIMUM_CHARGE_MINOR })),
})

/** What the payment gateway calls. `X-Service-Name` is information: the service token alone lets the caller in. */
export function addPaymentStatusRoutes(
  server: HttpServer,
  deps: ApplyPaymentStatusDeps & {
    readonly authenticate: Authenticate
    readonly onMessage?: (outcome: PaymentStatusOutcome) => void
  },
): void {
  server.put(
    '/api/v1/bookings/:bookingId/payment-status',
    {
      onRequest: allow(deps.authenticate, 'service'),
      preValidation: refuseUnknownStatus,
      schema: { params: Params, headers: Headers, body: PaymentStatusBody },
    },
    async (request) => {
      const outcome = await applyPaymentStatus(deps, {
        bookingId: request.params.bookingId,
        update: readUpdate(request.body),
        idempotencyKey: request.headers['idempotency-key'] ?? null,
        requestId: request.id,
      })
      deps.onMessage?.(outcome)
      return { success: true, data: outcomeAnswer(outcome) }
    },
  )
}

// Its own code, as in the lesson: a status this version does not know is told apart from a body that is malformed.
const refuseUnknownStatus: preValidationAsyncHookHandler = async (request) => {
  const status: unknown = (request.body as { status?: unknown } | null | undefined)?.status
  if (typeof status !== 'string' || ANNOUNCED_STATUSES.some((known) => known === status)) return
  throw new ApiError(
    'INVALID_STATUS',
    `Invalid status: ${status.slice(0, 50)}. Known: ${ANNOUNCED_STATUSES.join(', ')}.`,
  )
}

function readUpdate(body: Static<typeof PaymentStatusBody>): PaymentUpdate {
  const { paidAt, refundedAt, refundedAmountMinor } = body
  return {
    status: body.status,
    paymentIntentId: body.paymentIntentId,
    version: body.version,
    paymentId: body.paymentId,
    amountMinor: body.amountMinor,
    currency: body.currency,
    ...(typeof paidAt === 'string' ? { paidAt: readTime('paidAt', paidAt) } : {}),
    ...(typeof refundedAt === 'string' ? { refundedAt: readTime('refundedAt', refundedAt) } : {}),
    ...(refundedAmountMinor === undefined ? {} : { refundedAmountMinor }),
  }
}

// The format lets a leap second through, which is no Date.
function readTime(field: string, text: string): Date {
  const time = new Date(text)
  if (!Number.isNaN(time.getTime())) return time
  const problem = 'must be an ISO 8601 time'
  throw new ApiError('VALIDATION_ERROR', `body.${field} ${problem}.`, {
    details: [{ field: `body.${field}`, problem }],
  })
}

function outcomeAnswer(outcome: PaymentStatusOutcome): object {
  switch (outcome.kind) {
    case 'applied':
      return { ...bookingAnswer(outcome.booking), applied: true, reason: null }
    case 'ignore':
      return { ...bookingAnswer(outcome.booking), applied: false, reason: outcome.because }
    case 'refuse':
      throw outcome.because === 'amount_mismatch'
        ? new ApiError(
            'AMOUNT_MISMATCH',
            `This booking costs ${outcome.booking.price.amountMinor} ${outcome.booking.price.currency} in minor units. Nothing was changed.`,
          )
        : new ApiError(
            'INVALID_STATE',
            `Version ${outcome.booking.paymentVersion} was applied with other content. Send a change as a higher version.`,
          )
    case 'unknown_booking':
      throw new ApiError('NOT_FOUND', 'Booking not found.')
    default:
      return outcome satisfies never
  }
}
