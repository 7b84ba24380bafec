import type { AdviceCode } from '@passerelle/contracts/payment'

// What the outside may learn about a refusal. A list of what is told, not of what is hidden: a code that Stripe adds
// tomorrow, and that may say "fraud" in a new way, is told as a plain refusal until somebody has read about it.

/** Causes the payer can act on (docs.stripe.com/declines/codes), and what says nothing in particular. */
export const TOLD_CODES: ReadonlySet<string> = new Set([
  'authentication_required',
  'card_not_supported',
  'card_velocity_exceeded',
  'currency_not_supported',
  'duplicate_transaction',
  'expired_card',
  'incorrect_cvc',
  'incorrect_number',
  'incorrect_zip',
  'insufficient_funds',
  'invalid_cvc',
  'invalid_expiry_month',
  'invalid_expiry_year',
  'invalid_number',
  'issuer_not_available',
  'payment_intent_authentication_failure',
  'payment_intent_payment_attempt_failed',
  'processing_error',
  'try_again_later',
  'withdrawal_count_limit_exceeded',
])

// Refusals that say nothing in particular: told as a generic decline, but the bank's advice with them may be followed.
const PLAIN_CODES: ReadonlySet<string> = new Set([
  'approve_with_id',
  'call_issuer',
  'card_declined',
  'do_not_honor',
  'generic_decline',
  'no_action_taken',
  'transaction_not_allowed',
])

const GENERIC_DECLINE = { errorCode: 'generic_decline', errorMessage: 'Your card was declined.' } as const

type Refusal = { readonly errorCode: string | null; readonly errorMessage: string | null }
type Told = Refusal & { readonly adviceCode: AdviceCode | null }

/**
 * The code, sentence and advice to answer with. Stripe asks to present fraud-class codes as a generic decline: these, and
 * every code that is not known here, carry no advice either, for "never again" with no reason would tell a thief enough.
 */
export function toldDecline({ errorCode, errorMessage }: Refusal, advice: AdviceCode | null): Told {
  if (errorCode === null) return { errorCode: null, errorMessage: null, adviceCode: null }
  if (TOLD_CODES.has(errorCode)) return { errorCode, errorMessage, adviceCode: advice }
  return { ...GENERIC_DECLINE, adviceCode: PLAIN_CODES.has(errorCode) ? advice : null }
}
