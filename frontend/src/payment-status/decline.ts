import type { Payment } from '@passerelle/client/payment'

type Advice = NonNullable<Payment['adviceCode']>

/** What a payer is told about a refusal: only what the payer can act on. */
export const DECLINE_REASONS = [
  'insufficient_funds',
  'expired_card',
  'incorrect_cvc',
  'incorrect_number',
  'incorrect_expiry',
  'incorrect_postcode',
  'authentication_required',
  'card_not_supported',
  'currency_not_supported',
  'limit_exceeded',
  'try_later',
  'duplicate',
  'refused_for_now',
  'refused_for_good',
  'check_card',
  'generic',
] as const
export type DeclineReason = (typeof DECLINE_REASONS)[number]

// Stripe's decline codes and card error codes (docs.stripe.com/declines/codes). Codes that are not listed, the
// fraud-class ones first of all, are told as a plain refusal: naming them would teach a thief what the bank knows.
const REASON_OF: Readonly<Record<string, DeclineReason>> = {
  insufficient_funds: 'insufficient_funds',
  expired_card: 'expired_card',
  incorrect_cvc: 'incorrect_cvc',
  invalid_cvc: 'incorrect_cvc',
  incorrect_number: 'incorrect_number',
  invalid_number: 'incorrect_number',
  invalid_expiry_month: 'incorrect_expiry',
  invalid_expiry_year: 'incorrect_expiry',
  incorrect_zip: 'incorrect_postcode',
  authentication_required: 'authentication_required',
  payment_intent_authentication_failure: 'authentication_required',
  card_not_supported: 'card_not_supported',
  currency_not_supported: 'currency_not_supported',
  card_velocity_exceeded: 'limit_exceeded',
  withdrawal_count_limit_exceeded: 'limit_exceeded',
  processing_error: 'try_later',
  try_again_later: 'try_later',
  issuer_not_available: 'try_later',
  duplicate_transaction: 'duplicate',
}

/** Codes whose cause Stripe asks to present as a generic decline. */
export const FRAUD_CLASS_CODES = [
  'fraudulent',
  'lost_card',
  'stolen_card',
  'pickup_card',
  'merchant_blacklist',
  'security_violation',
  'restricted_card',
] as const

/** The advice in Stripe's word, or null where it says nothing known. */
export function adviceOf(code: string | undefined): Advice | null {
  return code !== undefined && isAdvice(code) ? code : null
}

function isAdvice(code: string): code is Advice {
  return Object.hasOwn(REASON_OF_ADVICE, code)
}

// What a bank advises that gives no reason.
const REASON_OF_ADVICE: Record<Advice, DeclineReason> = {
  try_again_later: 'refused_for_now',
  do_not_try_again: 'refused_for_good',
  confirm_card_data: 'check_card',
}

/**
 * The reason to show for the gateway's `errorCode`. The bank's advice speaks where the code says nothing in particular, and
 * is obeyed where it forbids what the code alone would offer: the same card once more.
 */
export function declineReason(errorCode: string | null, advice: Advice | null): DeclineReason {
  const reason = reasonOfCode(errorCode)
  if (isFraudClass(errorCode) || advice === null) return reason
  if (reason === 'generic') return REASON_OF_ADVICE[advice]
  const mayUseSameCard = isRetryable(reason) && RETRY_OF[reason] !== 'otherCard'
  return advice === 'do_not_try_again' && mayUseSameCard ? 'refused_for_good' : reason
}

function reasonOfCode(errorCode: string | null): DeclineReason {
  if (errorCode === null || !Object.hasOwn(REASON_OF, errorCode)) return 'generic'
  return REASON_OF[errorCode] ?? 'generic'
}

function isFraudClass(errorCode: string | null): boolean {
  return FRAUD_CLASS_CODES.some((code) => code === errorCode)
}

/** What the button for a new try says: the same card again, another one, or later. */
export const RETRY_OF: Record<DeclineReason, 'tryAgain' | 'otherCard' | 'tryLater'> = {
  insufficient_funds: 'otherCard',
  expired_card: 'otherCard',
  incorrect_cvc: 'tryAgain',
  incorrect_number: 'tryAgain',
  incorrect_expiry: 'tryAgain',
  incorrect_postcode: 'tryAgain',
  authentication_required: 'tryAgain',
  card_not_supported: 'otherCard',
  currency_not_supported: 'otherCard',
  limit_exceeded: 'otherCard',
  try_later: 'tryLater',
  duplicate: 'tryAgain',
  refused_for_now: 'tryLater',
  refused_for_good: 'otherCard',
  check_card: 'tryAgain',
  generic: 'otherCard',
}

/** Whether a new try can be offered at once. After a duplicate the payer looks at the bank account first. */
export function isRetryable(reason: DeclineReason): boolean {
  return reason !== 'duplicate'
}
