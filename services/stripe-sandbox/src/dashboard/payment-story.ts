import { totalOf } from '../checkout/session.ts'
import type {
  ChargeRecord,
  DisputeRecord,
  EventRecord,
  PaymentIntentRecord,
  PaymentMethodRecord,
  RefundRecord,
  SessionRecord,
} from '../store/records.ts'
import type { Reads } from '../store/store.ts'

/** Everything about one payment, whichever of its objects one came by. */
export type PaymentStory = {
  readonly id: string
  readonly created: number
  readonly amount: number
  readonly currency: string
  readonly title: string
  readonly session: SessionRecord | undefined
  readonly intent: PaymentIntentRecord | undefined
  readonly method: PaymentMethodRecord | undefined
  /** Newest first, as are refunds and disputes. */
  readonly charges: readonly ChargeRecord[]
  readonly refunds: readonly RefundRecord[]
  readonly disputes: readonly DisputeRecord[]
}

export type Tone = 'good' | 'bad' | 'warn' | 'calm'
export type Standing = { readonly word: string; readonly tone: Tone }

const EVENTS_LOOKED_AT = 20_000
const EVENTS_SHOWN = 60
// The list is drawn again while load runs: what it shows of a payment lies among the newest rows.
const ROWS_LOOKED_AT = 5000

type Parts = Pick<PaymentStory, 'charges' | 'refunds' | 'disputes'>

/** The story of a Checkout Session or a PaymentIntent, or undefined when there is neither. */
export function paymentStory(reads: Reads, id: string): PaymentStory | undefined {
  return storyOf(reads, id, (intent) => {
    const isOfIntent = (row: { readonly paymentIntent: string | null }): boolean =>
      row.paymentIntent === intent.id
    return {
      charges: [...filtered(reads.table('charges').newestFirst(), isOfIntent)],
      refunds: [...filtered(reads.table('refunds').newestFirst(), isOfIntent)],
      disputes: [...filtered(reads.table('disputes').newestFirst(), isOfIntent)],
    }
  })
}

function storyOf(
  reads: Reads,
  id: string,
  partsOf: (intent: PaymentIntentRecord) => Parts,
): PaymentStory | undefined {
  const session =
    reads.get('sessions', id) ?? reads.get('sessions', reads.get('payment_intents', id)?.session ?? '')
  const intent =
    reads.get('payment_intents', id) ?? reads.get('payment_intents', session?.paymentIntent ?? '')
  const first = session ?? intent
  if (!first) return undefined
  const parts = intent ? partsOf(intent) : { charges: [], refunds: [], disputes: [] }
  return {
    ...parts,
    id: first.id,
    created: first.created,
    amount: session ? totalOf(session) : (intent?.amount ?? 0),
    currency: first.currency,
    title: session?.lineItems[0]?.name ?? intent?.description ?? 'PaymentIntent',
    session,
    intent,
    method: reads.get('payment_methods', parts.charges[0]?.paymentMethod ?? intent?.paymentMethod ?? ''),
  }
}

/** The latest payments, newest first: Sessions, and PaymentIntents that no Session made. */
export function latestPayments(reads: Reads, limit: number): PaymentStory[] {
  const sessions = take(reads.table('sessions').newestFirst(), limit)
  const intents = take(
    filtered(
      take(reads.table('payment_intents').newestFirst(), ROWS_LOOKED_AT),
      ({ session }) => session === null,
    ),
    limit,
  )
  const refunds = Map.groupBy(take(reads.table('refunds').newestFirst(), ROWS_LOOKED_AT), ofIntent)
  const disputes = Map.groupBy(take(reads.table('disputes').newestFirst(), ROWS_LOOKED_AT), ofIntent)
  const parts = (intent: PaymentIntentRecord): Parts => {
    const charge = reads.get('charges', intent.latestCharge ?? '')
    return {
      charges: charge ? [charge] : [],
      refunds: refunds.get(intent.id) ?? [],
      disputes: disputes.get(intent.id) ?? [],
    }
  }
  return [...sessions, ...intents]
    .toSorted((a, b) => b.created - a.created)
    .slice(0, limit)
    .map(({ id }) => storyOf(reads, id, parts))
    .filter((story) => story !== undefined)
}

function ofIntent(row: { readonly paymentIntent: string | null }): string | null {
  return row.paymentIntent
}

/** What happened in the payment, newest first. */
export function eventsOfPayment(reads: Reads, story: PaymentStory): EventRecord[] {
  const ids = new Set([
    story.session?.id,
    story.intent?.id,
    ...story.charges.map(({ id }) => id),
    ...story.refunds.map(({ id }) => id),
  ])
  const looked = take(reads.table('events').newestFirst(), EVENTS_LOOKED_AT)
  return looked.filter(({ object }) => concerns(object, ids)).slice(0, EVENTS_SHOWN)
}

function concerns(
  object: { id?: unknown; payment_intent?: unknown; charge?: unknown },
  ids: ReadonlySet<unknown>,
): boolean {
  return [object.id, object.payment_intent, object.charge].some((id) => typeof id === 'string' && ids.has(id))
}

/** Where the payment stands, in one word for a person. */
export function standingOf(story: PaymentStory): Standing {
  const { intent, session, charges, disputes } = story
  const open = disputes.find(({ status }) => !['won', 'lost', 'warning_closed'].includes(status))
  if (open) return { word: open.status.startsWith('warning') ? 'Inquiry' : 'Disputed', tone: 'bad' }
  if (disputes.some(({ status }) => status === 'lost')) return { word: 'Dispute lost', tone: 'bad' }
  const charge = charges[0]
  if (intent?.status === 'succeeded' && charge) {
    const refunded = story.refunds
      .filter(({ status }) => status !== 'failed' && status !== 'canceled')
      .reduce((sum, { amount }) => sum + amount, 0)
    if (refunded === 0) return { word: 'Paid', tone: 'good' }
    return refunded < charge.amountCaptured
      ? { word: 'Partly refunded', tone: 'calm' }
      : { word: 'Refunded', tone: 'calm' }
  }
  if (intent && intent.status !== 'requires_payment_method') return INTENT[intent.status]
  if (session?.status === 'expired') return { word: 'Expired', tone: 'calm' }
  if (intent?.lastPaymentError)
    return { word: session?.status === 'complete' ? 'Failed' : 'Declined', tone: 'bad' }
  if (session?.status === 'complete') return { word: 'Free', tone: 'good' }
  return { word: session ? 'Open' : 'Incomplete', tone: 'calm' }
}

const INTENT: Readonly<Record<Exclude<PaymentIntentRecord['status'], 'requires_payment_method'>, Standing>> =
  {
    requires_confirmation: { word: 'Unconfirmed', tone: 'calm' },
    requires_action: { word: 'Needs 3-D Secure', tone: 'warn' },
    processing: { word: 'Processing', tone: 'warn' },
    requires_capture: { word: 'Authorised', tone: 'warn' },
    succeeded: { word: 'Paid', tone: 'good' },
    canceled: { word: 'Canceled', tone: 'calm' },
  }

export function take<T>(rows: Iterable<T>, limit: number): T[] {
  const taken: T[] = []
  for (const row of rows) {
    if (taken.length === limit) break
    taken.push(row)
  }
  return taken
}

function* filtered<T>(rows: Iterable<T>, keep: (row: T) => boolean): Generator<T> {
  for (const row of rows) if (keep(row)) yield row
}
