import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { browserEnvironment } from '@passerelle/client/browser-environment'
import { gatewaySource } from '@passerelle/client/gateway-source'
import { IS_RECEIVED } from '@passerelle/client/payment'
import { DEFAULT_POLLING } from '@passerelle/client/polling'
import { watchPayment } from '@passerelle/client/watch-payment'
import type { GatewayAccess } from '@passerelle/client/gateway-source'
import type { Known, Payment, PaymentStatus } from '@passerelle/client/payment'
import type { PaymentSource, WatchSnapshot } from '@passerelle/client/watch-payment'

export type PaymentStatusOptions = Partial<Omit<GatewayAccess, 'bookingId'>> & {
  /** Milliseconds before the second question, when there is no stream. */
  readonly initialInterval?: number
  readonly maxInterval?: number
  readonly maxAttempts?: number
  /**
   * What a server learnt of this booking's payment while it made the page: shown at first paint, and asked again only while
   * it may change. What is about another booking counts as nothing.
   */
  readonly initial?: Known | null
  /** Called once, when the money has arrived. */
  readonly onSuccess?: (payment: Payment) => void
  /** Called once, when the attempt ended without money. Never for a failed read. */
  readonly onFailure?: (payment: Payment) => void
}

export type PaymentStatusResult = {
  /** `pending` until known. */
  readonly status: PaymentStatus
  /** Whether it is still being asked about by itself. */
  readonly loading: boolean
  /** Why the last read gave nothing; says nothing about the payment. */
  readonly error: 'unknown' | 'unavailable' | null
  readonly attempts: number
  /** Everything known, for `payerView`. */
  readonly snapshot: WatchSnapshot
  readonly recheck: () => void
}

type Jwt = NonNullable<GatewayAccess['getJwt']>

const NOTHING: PaymentSource = { readStatus: () => Promise.resolve({ kind: 'unknown' }) }

/**
 * Follows the payment of a booking until it is settled: by the gateway's stream, or by polling where there is none.
 * `gatewayUrl` is where the gateway answers (the page's own origin by default).
 */
export function usePaymentStatus(
  bookingId: string | null | undefined,
  options: PaymentStatusOptions = {},
): PaymentStatusResult {
  const { gatewayUrl = '', sessionId = null, statusToken = null, verifies = false } = options
  const { initialInterval, maxInterval, maxAttempts } = options
  const [latest] = useState(() => holder(options))
  // Functions written inline are new at every render: the watch must not begin again for them. Declared before the
  // subscription below, so that they are in place before it begins.
  useEffect(() => latest.set(options))

  const hasJwt = options.getJwt !== undefined
  const { known: first } = useFirstKnown(bookingId, options.initial)
  const watch = useMemo(() => {
    const getJwt: Jwt = async (wish) => (await latest.get().getJwt?.(wish)) ?? ''
    const access = { gatewayUrl, bookingId: bookingId ?? '', sessionId, statusToken, verifies }
    const source = bookingId ? gatewaySource(hasJwt ? { ...access, getJwt } : access) : NOTHING
    return watchPayment(source, {
      environment: browserEnvironment,
      initial: first,
      polling: {
        initialIntervalMs: initialInterval ?? DEFAULT_POLLING.initialIntervalMs,
        maxIntervalMs: maxInterval ?? DEFAULT_POLLING.maxIntervalMs,
        attemptsMax: maxAttempts ?? DEFAULT_POLLING.attemptsMax,
      },
    })
  }, [
    latest,
    first,
    bookingId,
    gatewayUrl,
    sessionId,
    statusToken,
    verifies,
    hasJwt,
    initialInterval,
    maxInterval,
    maxAttempts,
  ])

  const snapshot = useSyncExternalStore(watch.subscribe, watch.getSnapshot, watch.getSnapshot)
  const outcome = snapshot.phase === 'settled' ? snapshot.payment : null
  // An effect may run twice for the same outcome, and the same outcome may be read twice: the callbacks must not.
  const [told] = useState(() => new Set<string>())
  useEffect(() => {
    if (!outcome) return
    const key = outcomeKey(outcome)
    if (told.has(key)) return
    told.add(key)
    if (IS_RECEIVED[outcome.status]) latest.get().onSuccess?.(outcome)
    else latest.get().onFailure?.(outcome)
  }, [latest, told, outcome])

  return {
    status: statusOf(snapshot),
    loading: snapshot.phase === 'idle' || snapshot.phase === 'watching',
    error: snapshot.problem,
    attempts: snapshot.attempts,
    snapshot,
    recheck: watch.recheck,
  }
}

function statusOf({ payment, verification }: WatchSnapshot): PaymentStatus {
  if (payment && IS_RECEIVED[payment.status]) return payment.status
  if (verification.state === 'answered' && verification.answer.status === 'complete') return 'succeeded'
  return payment?.status ?? 'pending'
}

/** Money arrives once; every attempt ends on its own. */
function outcomeKey({ bookingId, status, version }: Payment): string {
  return `${bookingId} ${IS_RECEIVED[status] ? 'received' : version}`
}

type FirstKnown = { readonly bookingId: string | null | undefined; readonly known: Known | null }

/** What was known of a booking when it was first followed: an `initial` that is new at every render begins nothing anew. */
function useFirstKnown(bookingId: FirstKnown['bookingId'], initial: Known | null | undefined): FirstKnown {
  const [first, setFirst] = useState<FirstKnown>(() => ({ bookingId, known: knownOf(initial, bookingId) }))
  if (first.bookingId === bookingId) return first
  const next = { bookingId, known: knownOf(initial, bookingId) }
  setFirst(next)
  return next
}

/** `initial`, unless it is about another booking. */
function knownOf(initial: Known | null | undefined, bookingId: FirstKnown['bookingId']): Known | null {
  if (!initial) return null
  const { payment, verification } = initial
  const answered = verification.state === 'answered' ? verification.answer.bookingId : null
  return (payment?.bookingId ?? answered) === bookingId ? initial : null
}

function holder<T>(first: T): { get: () => T; set: (next: T) => void } {
  let current = first
  return {
    get: () => current,
    set: (next) => {
      current = next
    },
  }
}
