import { newCustomer } from '../accounts/catalog.ts'
import { invalidRequest } from '../errors.ts'
import { emit } from '../events/event.ts'
import { cancelPayment } from '../payments/capture-payment.ts'
import { answerChallenge, confirmPayment } from '../payments/confirm-payment.ts'
import { newPaymentIntent, paymentMethodTypes } from '../payments/payment-intent.ts'
import { newNumberedId } from '../ids.ts'
import { render } from '../resources.ts'
import type {
  PaymentIntentRecord,
  PaymentMethodRecord,
  PaymentOutcome,
  SessionRecord,
} from '../store/records.ts'
import type { Tx } from '../store/store.ts'
import { later } from '../tasks.ts'
import { lostDiscount, redeem } from './redeem.ts'
import { expireRefusal, MAX_LIFE_S, newSessionId, subtotalOf, totalOf } from './session.ts'

export type Payer = { readonly email: string | null; readonly name: string | null }

/** The code of the 400 when the discount can no longer be redeemed. */
export const DISCOUNT_LOST = 'coupon_expired'

const SUBMITS_KEPT = 20
const RECOVERY_S = 30 * 86_400

/**
 * The payer submits the page: the PaymentIntent is made now and confirmed. A decline leaves the Session open.
 * The same `submit` token twice (a double click) is one attempt; without a token every call is one.
 */
export function paySession(
  tx: Tx,
  session: SessionRecord,
  how: { method: (tx: Tx) => PaymentMethodRecord; payer: Payer; submit?: string | undefined },
): PaymentOutcome {
  const { submit } = how
  const done = submit === undefined ? undefined : session.submits[submit]
  if (done) return done
  if (session.status !== 'open')
    throw invalidRequest(`This Checkout Session has a status of \`${session.status}\`.`)
  const lost = lostDiscount(tx, session)
  if (lost !== null) throw invalidRequest(lost, { code: DISCOUNT_LOST, param: 'discounts' })
  if (totalOf(session) === 0) return completeFree(tx, session, how.payer)
  const method = how.method(tx)
  const before = tx.get('payment_intents', session.paymentIntent ?? '')
  const kept = before && isOpen(before) && tx.settings.assume.sessionKeepsPaymentIntent ? before : undefined
  const intent = kept ? atPrice(tx, kept, totalOf(session)) : intentOf(tx, session)
  const created = kept ? undefined : render(tx, 'payment_intents', intent)
  const begun = tx.put('sessions', { ...session, paymentIntent: intent.id, payer: how.payer })
  const tellCreation = (): void => {
    if (created) emit(tx, 'payment_intent.created', created)
  }
  const pay = (): PaymentOutcome => confirmPayment(tx, intent, { method, returnUrl: pageUrl(tx, session.id) })
  const outcome = method.type === 'sepa_debit' ? startDebit(tx, begun, { tellCreation, pay }) : pay()
  // In recorded logs of Checkout the creation is told after what came of it.
  if (method.type !== 'sepa_debit') tellCreation()
  if (submit !== undefined) remember(tx, session.id, submit, outcome)
  if (tx.get('sessions', session.id)?.status === 'open') conclude(tx, session.id, outcome)
  return outcome
}

// Nobody has recorded in which order Checkout tells a debit.
function startDebit(
  tx: Tx,
  session: SessionRecord,
  steps: { tellCreation: () => void; pay: () => PaymentOutcome },
): PaymentOutcome {
  if (tx.settings.assume.debitToldFirst === 'session') complete(tx, session, 'unpaid')
  steps.tellCreation()
  return steps.pay()
}

/** The payer passed or failed 3-D Secure: ends the challenge, and the Session with it when the payment succeeds. */
export function answerSessionChallenge(tx: Tx, intent: PaymentIntentRecord, passed: boolean): PaymentOutcome {
  const session = tx.get('sessions', intent.session ?? '')
  // Somebody else redeemed the code while the payer was at the bank: no money is taken for a price that is gone.
  const isPriceGone = session !== undefined && lostDiscount(tx, session) !== null
  const outcome = answerChallenge(tx, intent, passed && !isPriceGone)
  if (intent.session !== null) conclude(tx, intent.session, outcome)
  return outcome
}

function conclude(tx: Tx, sessionId: string, outcome: PaymentOutcome): void {
  if (outcome.kind === 'declined' || outcome.kind === 'challenge') return
  const session = tx.get('sessions', sessionId)
  if (!session) return
  const held = outcome.kind === 'authorized' ? tx.settings.assume.heldSessionPaymentStatus : 'unpaid'
  complete(tx, session, outcome.kind === 'paid' ? 'paid' : held)
}

// A promotion code typed after a decline makes the next attempt cheaper.
function atPrice(tx: Tx, intent: PaymentIntentRecord, amount: number): PaymentIntentRecord {
  return intent.amount === amount ? intent : tx.put('payment_intents', { ...intent, amount })
}

function completeFree(tx: Tx, session: SessionRecord, payer: Payer): PaymentOutcome {
  const tried = tx.get('payment_intents', session.paymentIntent ?? '')
  if (tried && isOpen(tried)) cancelPayment(tx, tried, 'automatic')
  complete(tx, { ...session, payer }, 'no_payment_required')
  return { kind: 'paid' }
}

function complete(tx: Tx, session: SessionRecord, paymentStatus: SessionRecord['paymentStatus']): void {
  const customer = customerOf(tx, session)
  redeem(tx, session)
  countForLink(tx, session.paymentLink)
  const completed = tx.put('sessions', { ...session, status: 'complete', paymentStatus, customer })
  const event = emit(tx, 'checkout.session.completed', render(tx, 'sessions', completed))
  tx.put('sessions', { ...completed, completedEvent: event.id })
}

function customerOf(tx: Tx, session: SessionRecord): string | null {
  updateCustomer(tx, session)
  if (session.customer !== null || session.customerCreation !== 'always') return session.customer
  const customer = newCustomer(tx, { email: session.payer?.email ?? null, name: session.payer?.name ?? null })
  emit(tx, 'customer.created', render(tx, 'customers', customer))
  const intent = tx.get('payment_intents', session.paymentIntent ?? '')
  if (intent) tx.put('payment_intents', { ...intent, customer: customer.id })
  return customer.id
}

// A link with a limit closes with its last Session.
function countForLink(tx: Tx, id: string | undefined): void {
  const link = tx.get('payment_links', id ?? '')
  if (!link) return
  const completed = (link.completed ?? 0) + 1
  const active = link.active && (!link.limit || completed < link.limit)
  tx.put('payment_links', { ...link, completed, active })
}

// `customer_update[name]=auto`: the name the payer typed becomes the customer's.
function updateCustomer(tx: Tx, session: SessionRecord): void {
  const customer = tx.get('customers', session.customer ?? '')
  const name = session.payer?.name
  if (!customer || !name || !session.customerUpdate?.name || customer.name === name) return
  const changed = tx.put('customers', { ...customer, name })
  emit(tx, 'customer.updated', render(tx, 'customers', changed), { name: customer.name })
}

function intentOf(tx: Tx, session: SessionRecord): PaymentIntentRecord {
  const filter = { allowed: session.allowedTypes, excluded: session.excludedTypes }
  return newPaymentIntent(tx, {
    ...session.paymentIntentData,
    amount: totalOf(session),
    currency: session.currency,
    customer: session.customer,
    paymentMethodTypes: paymentMethodTypes(session.currency, filter),
    session: session.id,
  })
}

function remember(tx: Tx, sessionId: string, submit: string, outcome: PaymentOutcome): void {
  const session = tx.get('sessions', sessionId)
  if (!session) return
  const kept = Object.entries(session.submits).slice(1 - SUBMITS_KEPT)
  tx.put('sessions', { ...session, submits: Object.fromEntries([...kept, [submit, outcome]]) })
}

export function pageUrl(tx: Tx, sessionId: string): string {
  return `${tx.settings.publicUrl}/c/pay/${sessionId}`
}

/** Closes an open Session, or throws the 400 that names its status. */
export function expireSession(tx: Tx, session: SessionRecord): SessionRecord {
  if (session.status !== 'open') throw invalidRequest(expireRefusal(session.status))
  const { recovery } = session
  const expired = tx.put('sessions', {
    ...session,
    status: 'expired',
    ...(recovery ? { recovery: { ...recovery, expiresAt: tx.now + RECOVERY_S } } : {}),
  })
  const intent = tx.get('payment_intents', session.paymentIntent ?? '')
  if (intent && isOpen(intent) && tx.settings.assume.expiryCancelsPaymentIntent)
    cancelPayment(tx, intent, 'expired')
  emit(tx, 'checkout.session.expired', render(tx, 'sessions', expired))
  return expired
}

function isOpen({ status }: PaymentIntentRecord): boolean {
  return status === 'requires_payment_method' || status === 'requires_action'
}

/** A copy of an expired Session, from the address that it left; undefined when that no longer leads anywhere. */
export function recoverSession(tx: Tx, expired: SessionRecord): SessionRecord | undefined {
  const { recovery, status } = expired
  if (status !== 'expired' || !recovery?.expiresAt || recovery.expiresAt <= tx.now) return undefined
  const { discount: _discount, completedEvent: _event, ...kept } = expired
  const copy = tx.put('sessions', {
    ...kept,
    id: newSessionId(),
    created: tx.now,
    expiresAt: tx.now + MAX_LIFE_S,
    status: 'open',
    lineItems: expired.lineItems.map(({ discounted: _off, ...item }) => ({
      ...item,
      id: newNumberedId('li'),
    })),
    payer: null,
    paymentIntent: null,
    paymentStatus: subtotalOf(expired) === 0 ? 'no_payment_required' : 'unpaid',
    allowPromotionCodes: recovery.allowPromotionCodes,
    recovery: { ...recovery, expiresAt: null },
    recoveredFrom: expired.id,
    submits: {},
    completedEvent: null,
  })
  later(tx, 'expire_session', copy.id, { ms: MAX_LIFE_S * 1000 })
  return copy
}

/** The Session's time is up. */
export function expireWhenDue(tx: Tx, sessionId: string): void {
  const session = tx.get('sessions', sessionId)
  if (session?.status === 'open') expireSession(tx, session)
}
