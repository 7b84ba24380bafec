import { answerSessionChallenge, paySession } from '../checkout/pay-session.ts'
import { withSessionId } from '../checkout/session.ts'
import { ApiError, invalidRequest, noSuch } from '../errors.ts'
import type { Deliverer } from '../events/deliver.ts'
import { instrumentByIban } from '../payments/instruments.ts'
import type { CardInput } from '../payments/payment-method.ts'
import { createCard, createPaymentMethod, resolvePaymentMethod } from '../payments/payment-method.ts'
import { challengeUrl } from '../payments/payment-intent.ts'
import type { PaymentMethodRecord, PaymentOutcome, SessionRecord } from '../store/records.ts'
import type { Store, Tx } from '../store/store.ts'
import { NOBODY } from '../store/store.ts'

type Deps = { readonly store: Store; readonly deliverer: Deliverer }

export type Means =
  | { readonly kind: 'alias'; readonly id: string }
  | { readonly kind: 'iban'; readonly iban: string }
  | {
      readonly kind: 'card'
      readonly number: string
      readonly expMonth?: number
      readonly expYear?: number
      readonly cvc?: string
    }

export type Submission = {
  readonly means: Means
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** One token per rendered page: the same one twice is one payment. None for who has no page. */
  readonly submit?: string | undefined
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
        method: (inner) => methodOf(inner, submission.means, { ...payer, customer: session.customer }),
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

function methodOf(tx: Tx, means: Means, owner: Owner): PaymentMethodRecord {
  if (means.kind === 'alias') return resolvePaymentMethod(tx, means.id, owner, 'card')
  if (means.kind === 'card') return createCard(tx, cardOf(tx, means), owner)
  const account = instrumentByIban(means.iban)
  if (account) return createPaymentMethod(tx, account, owner)
  throw new ApiError(402, {
    code: 'invalid_bank_account_iban',
    message: 'The IBAN you provided is invalid.',
    param: 'iban',
    type: 'card_error',
  })
}

function cardOf(tx: Tx, means: Means & { kind: 'card' }): CardInput {
  return {
    number: means.number.replaceAll(/[\s-]/g, ''),
    expMonth: means.expMonth ?? 12,
    expYear: means.expYear ?? new Date(tx.nowMs).getUTCFullYear() + 1,
    cvc: means.cvc ?? null,
  }
}

/** Reads `pm_card_visa`, an IBAN or a card number: what scripts pass. */
export function meansOf(text: string): Means {
  if (/^(pm|tok)_/.test(text)) return { kind: 'alias', id: text }
  return /^[A-Za-z]{2}\d/.test(text) ? { kind: 'iban', iban: text } : { kind: 'card', number: text }
}
