import { paySession, answerSessionChallenge } from '../checkout/pay-session.ts'
import { withSessionId } from '../checkout/session.ts'
import { ApiError, invalidRequest, noSuch } from '../errors.ts'
import type { Deliverer } from '../events/deliver.ts'
import { instrumentByAlias, instrumentByIban } from '../payments/instruments.ts'
import type { CardInput } from '../payments/payment-method.ts'
import { createCard, createPaymentMethod } from '../payments/payment-method.ts'
import { challengeUrl } from '../payments/payment-intent.ts'
import type { PaymentMethodRecord, PaymentOutcome, SessionRecord } from '../store/records.ts'
import type { Store, Tx } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'

type Deps = { readonly store: Store; readonly deliverer: Deliverer }

/** What the payer typed. `card` is a card number, an IBAN or an alias such as `pm_card_visa`. */
export type Submission = {
  readonly card: string
  readonly expMonth?: number
  readonly expYear?: number
  readonly cvc?: string
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** One token per rendered page: the same one twice is one payment. */
  readonly submit: string
}

export type SubmitResult =
  | {
      readonly status: 'complete'
      readonly outcome: PaymentOutcome['kind']
      readonly redirect: string | null
    }
  | { readonly status: 'requires_action'; readonly redirect: string }
  | {
      readonly status: 'declined'
      readonly error: {
        readonly message: string
        readonly code: string
        readonly decline_code: string | null
        readonly param: string | null
      }
    }

/**
 * The payer's click on "Pay": confirms, emits the events, waits for the 2xx to checkout.session.completed (10 s at
 * most, as Stripe's page does) and says where the browser goes next.
 */
export async function submitPayment(
  deps: Deps,
  sessionId: string,
  submission: Submission,
): Promise<SubmitResult> {
  const outcome = pay(deps.store, sessionId, submission)
  if ('error' in outcome) return { status: 'declined', error: outcome.error }
  return conclude(deps, sessionId, outcome)
}

/** The payer's answer to 3-D Secure in a Session. */
export async function submitChallenge(
  deps: Deps,
  sessionId: string,
  answer: { intent: string; passed: boolean },
): Promise<SubmitResult> {
  const outcome = deps.store.transact(NOBODY, (tx) => {
    const intent = tx.get('payment_intents', answer.intent)
    if (intent?.status !== 'requires_action')
      throw invalidRequest('This authentication is no longer possible.')
    return answerSessionChallenge(tx, intent, answer.passed)
  })
  return conclude(deps, sessionId, outcome)
}

/** Where a completed Session sends its payer, once the merchant has been told. */
export async function redirectOf(deps: Deps, session: SessionRecord): Promise<string | null> {
  if (session.completedEvent !== null) {
    await deps.deliverer.acknowledged(session.completedEvent, deps.store.settings.redirectWaitMs)
  }
  const url = session.successUrl ?? session.returnUrl
  return url === null ? null : withSessionId(url, session.id)
}

async function conclude(deps: Deps, sessionId: string, outcome: PaymentOutcome): Promise<SubmitResult> {
  const { store } = deps
  if (outcome.kind === 'declined') {
    const { message, code, declineCode } = outcome
    return { status: 'declined', error: { message, code, decline_code: declineCode, param: null } }
  }
  if (outcome.kind === 'challenge') {
    const intent = store.get('payment_intents', outcome.paymentIntent)
    if (intent?.status === 'requires_action') {
      return { status: 'requires_action', redirect: challengeUrl(intent, store.settings.publicUrl) }
    }
  }
  const session = store.get('sessions', sessionId)
  if (!session) throw noSuch('checkout.session', sessionId, { param: 'session' })
  return { status: 'complete', outcome: outcome.kind, redirect: await redirectOf(deps, session) }
}

function pay(
  store: Store,
  sessionId: string,
  submission: Submission,
): PaymentOutcome | { error: Extract<SubmitResult, { status: 'declined' }>['error'] } {
  try {
    return store.transact(NOBODY, (tx) => {
      const session = tx.get('sessions', sessionId)
      if (!session) throw noSuch('checkout.session', sessionId, { param: 'session' })
      const payer = {
        email: session.customerEmail ?? submission.email ?? null,
        name: submission.name ?? null,
      }
      return paySession(tx, session, {
        payer,
        submit: submission.submit,
        method: (inner) => methodOf(inner, submission, { ...payer, customer: session.customer }),
      })
    })
  } catch (error) {
    // A number, date or code that cannot be right: nothing was written, the page stays.
    if (!(error instanceof ApiError) || error.details.type !== 'card_error') throw error
    const { message, code = '', param = null } = error.details
    return { error: { message, code, decline_code: null, param } }
  }
}

type Owner = { email: string | null; name: string | null; customer: string | null }

function methodOf(tx: Tx, submission: Submission, owner: Owner): PaymentMethodRecord {
  const { card } = submission
  if (card.startsWith('pm_') || card.startsWith('tok_')) {
    const instrument = instrumentByAlias(card)
    if (instrument) return createPaymentMethod(tx, instrument, owner)
    const existing = tx.get('payment_methods', card)
    if (existing) return existing
    throw noSuch('PaymentMethod', card, { param: 'card', inBody: true })
  }
  if (/^[A-Za-z]{2}\d/.test(card)) {
    const account = instrumentByIban(card)
    if (account) return createPaymentMethod(tx, account, owner)
    throw new ApiError(402, {
      code: 'invalid_bank_account_iban',
      message: 'The IBAN you provided is invalid.',
      param: 'iban',
      type: 'card_error',
    })
  }
  return createCard(tx, cardOf(tx, submission), owner)
}

function cardOf(tx: Tx, submission: Submission): CardInput {
  return {
    number: submission.card.replaceAll(/[\s-]/g, ''),
    expMonth: submission.expMonth ?? 12,
    expYear: submission.expYear ?? new Date(tx.nowMs).getUTCFullYear() + 1,
    cvc: submission.cvc ?? null,
  }
}
