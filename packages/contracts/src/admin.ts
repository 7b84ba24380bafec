import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { ANNOUNCED_STATUSES } from './booking.ts'
import { PAYMENT_STATUSES } from './payment.ts'
import { Nullable } from './nullable.ts'

const Time = Type.String({ format: 'date-time' })
const Id = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$' })

export const EVENT_STATUSES = ['received', 'processed', 'skipped', 'failed'] as const
export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const
export const INCIDENT_STATUSES = ['open', 'resolved'] as const

/** One page of a list, newest first; `nextCursor` is null on the last page. */
export function listBody<T extends TSchema>(item: T) {
  return Type.Object({
    success: Type.Literal(true),
    data: Type.Array(item),
    nextCursor: Nullable(
      Type.String({ description: 'Send it back as `cursor` for the next page; null on the last one.' }),
    ),
  })
}

const page = {
  limit: Type.Optional(
    Type.String({ pattern: '^([1-9][0-9]?|100)$', description: 'How many, 1 to 100; 50 when left out.' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 1000, description: '`nextCursor` of the page before.' })),
  bookingId: Type.Optional(Id),
}

export const AdminEventsQuery = Type.Object({
  ...page,
  status: Type.Optional(Type.Enum(EVENT_STATUSES)),
  type: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[^\\u0000]*$',
      description: "Stripe's event type",
    }),
  ),
})
export const AdminDeliveriesQuery = Type.Object({
  ...page,
  status: Type.Optional(Type.Enum(DELIVERY_STATUSES)),
  type: Type.Optional(Type.Enum(ANNOUNCED_STATUSES, { description: 'the status that is announced' })),
})
export const AdminPaymentsQuery = Type.Object({
  ...page,
  status: Type.Optional(Type.Enum(PAYMENT_STATUSES)),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[^\\u0000]*$',
      description:
        'Any id that leads to a payment: its own, its booking, attempt or delivery, or one of Stripe (cs_, pi_, ch_, re_, du_, evt_).',
    }),
  ),
})
export const AdminIncidentsQuery = Type.Object({
  ...page,
  status: Type.Optional(Type.Enum(INCIDENT_STATUSES)),
  type: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: '^[^\\u0000]*$',
      description: 'the kind of incident',
    }),
  ),
})
export const AdminAuditQuery = Type.Object({
  limit: page.limit,
  cursor: page.cursor,
  subject: Type.Optional(Id),
})

export const EventParams = Type.Object({ eventId: Id })
export const DeliveryParams = Type.Object({ id: Id })
export const PaymentParams = Type.Object({ paymentId: Id })
export const IncidentParams = Type.Object({ id: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) })

const Reason = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '^[^\\u0000]*$',
  description: 'Why, for the audit log.',
})
/** May be left out altogether. */
export const ReasonBody = Nullable(Type.Object({ reason: Type.Optional(Reason) }))
export const ResolveBody = Type.Object({ reason: Reason })

const many = {
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'How many at once; 100.' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'Only tell how many and which; change nothing.' })),
  reason: Type.Optional(Reason),
}
export const ReplayManyBody = Type.Object({
  status: Type.Optional(Type.Enum(EVENT_STATUSES)),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$' })),
  ...many,
})
export type ReplayManyBody = Static<typeof ReplayManyBody>
export const RedeliverManyBody = Type.Object({
  status: Type.Optional(Type.Enum(DELIVERY_STATUSES)),
  type: Type.Optional(Type.Enum(ANNOUNCED_STATUSES)),
  ...many,
})
export type RedeliverManyBody = Static<typeof RedeliverManyBody>

export const EraseCustomerBody = Type.Object({ customerId: Id, reason: Reason })
export const EraseCustomerView = Type.Object({
  pseudonym: Nullable(
    Type.String({
      description: 'What stands in the place of the customer now; null when nothing was theirs.',
    }),
  ),
  payments: Type.Integer(),
  events: Type.Integer({ description: 'Payloads emptied.' }),
  attempts: Type.Integer({ description: 'Attempts whose address was removed.' }),
  openAttempts: Type.Integer({ description: 'Attempts still open: emptied within the hour after they end.' }),
  owedEvents: Type.Integer({ description: 'Events still to be applied: emptied within the hour after it.' }),
})
export type EraseCustomerView = Static<typeof EraseCustomerView>

export const EventView = Type.Object({
  eventId: Type.String(),
  type: Type.String(),
  status: Type.Enum(EVENT_STATUSES),
  reason: Nullable(Type.String()),
  errorMessage: Nullable(Type.String()),
  attemptCount: Type.Integer(),
  apiVersion: Nullable(Type.String()),
  livemode: Type.Boolean(),
  objectId: Nullable(Type.String()),
  paymentId: Nullable(Type.String()),
  bookingId: Nullable(Type.String()),
  createdAt: Time,
  receivedAt: Time,
  processedAt: Nullable(Time),
  retryAt: Nullable(Time),
  redactedAt: Nullable(Time),
})
export type EventView = Static<typeof EventView>

export const EventDetail = Type.Object({
  ...EventView.properties,
  payload: Type.Unknown({ description: 'The body as Stripe sent it; null when it is no JSON or redacted.' }),
  payloadBase64: Nullable(
    Type.String({ description: 'The bytes of a body that is no JSON; null for one that is.' }),
  ),
})
export type EventDetail = Static<typeof EventDetail>

export const DeliveryView = Type.Object({
  id: Type.String(),
  paymentId: Type.String(),
  bookingId: Type.String(),
  version: Type.Integer(),
  announces: Type.Enum(ANNOUNCED_STATUSES),
  status: Type.Enum(DELIVERY_STATUSES),
  attemptCount: Type.Integer(),
  dueAt: Time,
  lastError: Nullable(Type.String()),
  createdAt: Time,
  deliveredAt: Nullable(Time),
  redeliveredAt: Nullable(Time),
})
export type DeliveryView = Static<typeof DeliveryView>

export const DeliveryAttemptView = Type.Object({
  number: Type.Integer(),
  outcome: Type.Enum(['delivered', 'refused', 'failed']),
  responseStatus: Nullable(Type.Integer()),
  error: Nullable(Type.String()),
  durationMs: Type.Integer(),
  at: Time,
})
export type DeliveryAttemptView = Static<typeof DeliveryAttemptView>

export const DeliveryDetail = Type.Object({
  ...DeliveryView.properties,
  body: Type.Unknown({ description: 'What the booking service is sent, word for word.' }),
  attempts: Type.Array(DeliveryAttemptView),
})
export type DeliveryDetail = Static<typeof DeliveryDetail>

/** What a filter matches, and what of it was done (or, on a dry run, would be). */
export function batchBody<T extends TSchema>(item: T) {
  return Type.Object({
    success: Type.Literal(true),
    data: Type.Object({
      dryRun: Type.Boolean(),
      matched: Type.Integer({ description: 'How many match now; counted up to 10000.' }),
      selected: Type.Integer({ description: 'How many of them this call takes.' }),
      items: Type.Array(item),
    }),
  })
}

export const AdminPaymentView = Type.Object({
  paymentId: Type.String(),
  bookingId: Type.String(),
  customerId: Nullable(Type.String()),
  livemode: Type.Boolean(),
  status: Type.Enum(PAYMENT_STATUSES),
  amount: Type.Number(),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  capturedMinor: Type.Integer(),
  refundedAmountMinor: Type.Integer(),
  paymentIntentId: Nullable(Type.String()),
  paidAt: Nullable(Time),
  errorCode: Nullable(Type.String()),
  errorMessage: Nullable(Type.String()),
  announced: Nullable(
    Type.String({ description: 'What the booking service was last told, or is about to be.' }),
  ),
  announcedVersion: Type.Integer(),
  version: Type.Integer(),
  createdAt: Time,
  updatedAt: Time,
})
export type AdminPaymentView = Static<typeof AdminPaymentView>

export const TIMELINE_KINDS = [
  'payment',
  'attempt',
  'event',
  'transition',
  'delivery',
  'delivery_attempt',
  'refund_request',
  'refund',
  'dispute',
  'ledger',
  'incident',
  'audit',
] as const
export const TimelineEntry = Type.Object({
  at: Time,
  kind: Type.Enum(TIMELINE_KINDS),
  id: Type.String(),
  what: Type.String({ description: 'One sentence for a person.' }),
  detail: Type.Record(Type.String(), Type.Unknown()),
})
export type TimelineEntry = Static<typeof TimelineEntry>

export const PaymentDetail = Type.Object({
  ...AdminPaymentView.properties,
  timeline: Type.Array(TimelineEntry, { description: 'Everything that happened, oldest first.' }),
  timelineComplete: Type.Boolean({ description: 'False when only the newest 1000 entries are shown.' }),
})
export type PaymentDetail = Static<typeof PaymentDetail>

export const IncidentView = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  subject: Type.String(),
  paymentId: Nullable(Type.String()),
  bookingId: Nullable(Type.String()),
  status: Type.Enum(INCIDENT_STATUSES),
  detail: Type.Record(Type.String(), Type.Unknown()),
  raisedAt: Time,
  resolvedAt: Nullable(Time),
  resolvedBy: Nullable(Type.String()),
  resolvedBecause: Nullable(Type.String()),
})
export type IncidentView = Static<typeof IncidentView>

export const AuditView = Type.Object({
  id: Type.Integer(),
  at: Time,
  actor: Type.String(),
  action: Type.String(),
  subject: Type.String(),
  paymentId: Nullable(Type.String()),
  reason: Nullable(Type.String()),
  before: Type.Unknown(),
  after: Type.Unknown(),
  requestId: Type.String(),
  previousHash: Type.String(),
  hash: Type.String(),
})
export type AuditView = Static<typeof AuditView>

export const AuditVerificationView = Type.Object({
  intact: Type.Boolean(),
  entries: Type.Integer({ description: 'How many were read and found as written.' }),
  head: Type.Object(
    { id: Type.Integer(), hash: Type.String() },
    { description: 'Keep it elsewhere: it shows when the newest entries are cut off.' },
  ),
  broken: Nullable(Type.Object({ id: Type.Integer(), because: Type.String() })),
})
export type AuditVerificationView = Static<typeof AuditVerificationView>

export const OverviewView = Type.Object({
  events: Type.Object({
    owed: Type.Integer(),
    oldestOwedSeconds: Nullable(Type.Number()),
    failed: Type.Integer(),
  }),
  deliveries: Type.Object({
    pending: Type.Integer(),
    oldestPendingSeconds: Nullable(Type.Number()),
    dead: Type.Integer(),
    breakerOpen: Type.Boolean({ description: 'Of the process that answers: the booking service does not.' }),
  }),
  incidents: Type.Object({ open: Type.Integer() }),
})
export type OverviewView = Static<typeof OverviewView>
