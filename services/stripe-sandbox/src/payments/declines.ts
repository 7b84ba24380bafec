/** Why a payment method said no, in Stripe's codes and words. https://docs.stripe.com/declines/codes */
export type Decline = {
  readonly code: string
  readonly declineCode: string | null
  readonly message: string
  readonly adviceCode: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later' | null
  readonly param: string | null
  readonly outcome: 'issuer_declined' | 'blocked' | 'invalid'
}

export type DeclineName = keyof typeof DECLINES

const GENERIC: Decline = {
  code: 'card_declined',
  declineCode: 'generic_decline',
  message: 'Your card was declined.',
  adviceCode: 'try_again_later',
  param: null,
  outcome: 'issuer_declined',
}

export const DECLINES = {
  generic: GENERIC,
  insufficient_funds: declined('insufficient_funds', 'Your card has insufficient funds.'),
  lost_card: { ...declined('lost_card', GENERIC.message), adviceCode: 'do_not_try_again' },
  stolen_card: { ...declined('stolen_card', GENERIC.message), adviceCode: 'do_not_try_again' },
  expired_card: {
    ...declined('expired_card', 'Your card has expired.'),
    code: 'expired_card',
    adviceCode: 'do_not_try_again',
    param: 'exp_month',
  },
  incorrect_cvc: {
    ...declined('incorrect_cvc', "Your card's security code is incorrect."),
    code: 'incorrect_cvc',
    adviceCode: 'confirm_card_data',
    param: 'cvc',
  },
  processing_error: {
    ...declined(
      'processing_error',
      'An error occurred while processing your card. Try again in a little bit.',
    ),
    code: 'processing_error',
  },
  velocity: declined(
    'card_velocity_exceeded',
    'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
  ),
  live_card: {
    ...declined(
      'test_mode_live_card',
      'Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
    ),
    adviceCode: null,
  },
  fraudulent: { ...declined('fraudulent', GENERIC.message), adviceCode: null, outcome: 'blocked' },
  authentication_required: {
    ...declined(
      'authentication_required',
      'Your card was declined. This transaction requires authentication.',
    ),
    code: 'authentication_required',
    adviceCode: null,
  },
  debit_failed: {
    ...GENERIC,
    code: 'payment_intent_payment_attempt_failed',
    declineCode: null,
    message: 'The payment failed.',
    adviceCode: null,
  },
  charge_exceeds_source_limit: debit(
    'charge_exceeds_source_limit',
    "This payment exceeds the limit of the payer's account for a week.",
  ),
  charge_exceeds_weekly_limit: debit(
    'charge_exceeds_weekly_limit',
    'This payment exceeds your weekly limit for debits.',
  ),
  debit_insufficient_funds: debit(
    'insufficient_funds',
    "The customer's account has insufficient funds to cover this payment.",
  ),
} as const satisfies Record<string, Decline>

function debit(code: string, message: string): Decline {
  return { ...GENERIC, code, declineCode: null, message, adviceCode: null }
}

function declined(declineCode: string, message: string): Decline {
  return { ...GENERIC, declineCode, message }
}
