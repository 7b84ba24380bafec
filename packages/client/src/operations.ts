// Generated from the gateway's OpenAPI document by `npm run client:generate`. A test fails when it is out of date.

/** Every operation of the gateway by method and path, with what goes in and what comes out. */
export type Operations = {
  /** Gives a Checkout Session up: it is expired at Stripe; if it was paid meanwhile, the answer says so */
  'POST /sessions/{sessionId}/cancel': {
    readonly path: {
      readonly sessionId: string
    }
    readonly query: undefined
    readonly body: undefined
    readonly data: {
      readonly bookingId: string
      readonly status:
        | 'pending'
        | 'processing'
        | 'succeeded'
        | 'failed'
        | 'canceled'
        | 'expired'
        | 'partially_refunded'
        | 'refunded'
        | 'disputed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly paidAt: string | null
      readonly refundedAmount: number
      readonly refundedAmountMinor: number
      readonly refundedAt: string | null
      readonly errorCode: string | null
      readonly errorMessage: string | null
      /** what the bank advises after a refusal, where it may be told */
      readonly adviceCode: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later' | null
      /** what the payer still has to do for the bank */
      readonly nextAction: 'authenticate' | null
      /** by when a payment that is being processed usually arrives */
      readonly expectedBy: string | null
      /** paid, but the seats had been given to others when the money came */
      readonly bookingLost: boolean
      readonly updatedAt: string
      readonly version: number
    }
  }
  /** Gives back an amount of a payment, or all that is left of it */
  'POST /payments/{bookingId}/refunds': {
    readonly path: {
      readonly bookingId: string
    }
    readonly query: undefined
    readonly body: {
      /** decimal, in the currency's units */
      readonly amount?: number
      readonly amountMinor?: number
      /** One of Stripe's reasons (duplicate, fraudulent, requested_by_customer), which Stripe is told, or your own words, which stay here. */
      readonly reason?: string
    } | null
    readonly data: {
      readonly refundId: string
      readonly paymentId: string
      readonly bookingId: string
      readonly status: 'pending' | 'requires_action' | 'succeeded' | 'canceled' | 'failed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly reason: string | null
      readonly createdAt: string
    }
  }
  /** Opens a Checkout Session for a booking, or returns the open one */
  'POST /sessions': {
    readonly path: undefined
    readonly query: undefined
    readonly body: {
      readonly bookingId: string
      /** decimal, in the currency's units */
      readonly amount?: number
      /** ISO 4217, any case; lower case in answers */
      readonly currency?: string
      readonly tourName?: string
      readonly customerEmail?: string
      /** the payment page's language */
      readonly locale?: 'fr' | 'en'
    }
    readonly data: {
      readonly sessionId: string
      readonly checkoutUrl: string
      readonly paymentId: string
      readonly expiresAt: string
      readonly statusToken: string
      /** the page that shows this payment to whoever has this link */
      readonly statusUrl: string
    }
  }
  /** Opens a PaymentIntent for a booking (Stripe Elements), or returns the open one */
  'POST /payments': {
    readonly path: undefined
    readonly query: undefined
    readonly body: {
      readonly bookingId: string
      /** decimal, in the currency's units */
      readonly amount?: number
      /** ISO 4217, any case; lower case in answers */
      readonly currency?: string
      readonly tourName?: string
      readonly customerEmail?: string
      /** the payment page's language */
      readonly locale?: 'fr' | 'en'
    }
    readonly data: {
      readonly paymentId: string
      readonly paymentIntentId: string
      readonly clientSecret: string
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly statusToken: string
      /** the page that shows this payment to whoever has this link */
      readonly statusUrl: string
    }
  }
  /** The payment that a status token opens, for a link that names nothing else */
  'GET /status': {
    readonly path: undefined
    readonly query: {
      readonly token: string
    }
    readonly body: undefined
    readonly data: {
      readonly bookingId: string
      readonly status:
        | 'pending'
        | 'processing'
        | 'succeeded'
        | 'failed'
        | 'canceled'
        | 'expired'
        | 'partially_refunded'
        | 'refunded'
        | 'disputed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly paidAt: string | null
      readonly refundedAmount: number
      readonly refundedAmountMinor: number
      readonly refundedAt: string | null
      readonly errorCode: string | null
      readonly errorMessage: string | null
      /** what the bank advises after a refusal, where it may be told */
      readonly adviceCode: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later' | null
      /** what the payer still has to do for the bank */
      readonly nextAction: 'authenticate' | null
      /** by when a payment that is being processed usually arrives */
      readonly expectedBy: string | null
      /** paid, but the seats had been given to others when the money came */
      readonly bookingLost: boolean
      readonly updatedAt: string
      readonly version: number
    }
  }
  /** What a paid booking was paid with, and Stripe’s own receipt */
  'GET /payments/{bookingId}/receipt': {
    readonly path: {
      readonly bookingId: string
    }
    readonly query: undefined
    readonly body: undefined
    readonly data: {
      readonly bookingId: string
      /** Stripe's type of payment method, such as `card` or `sepa_debit` */
      readonly method: string
      readonly brand: string | null
      readonly last4: string | null
      readonly receiptUrl: string | null
    }
  }
  /** Where the payment of a Checkout Session stands, asking Stripe while it is not final */
  'GET /sessions/{sessionId}/verify': {
    readonly path: {
      readonly sessionId: string
    }
    readonly query: {
      readonly token?: string
    }
    readonly body: undefined
    readonly data: {
      readonly sessionId: string
      readonly bookingId: string
      readonly status: 'open' | 'processing' | 'complete' | 'expired' | 'failed'
      readonly paymentStatus:
        | 'pending'
        | 'processing'
        | 'succeeded'
        | 'failed'
        | 'canceled'
        | 'expired'
        | 'partially_refunded'
        | 'refunded'
        | 'disputed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly paidAt: string | null
      /** set when the booking was paid by another session than this one */
      readonly duplicate: 'not_charged' | 'refunding' | 'refunded' | null
    }
  }
  /** Where the payment of a booking stands, as known here */
  'GET /payments/{bookingId}/status': {
    readonly path: {
      readonly bookingId: string
    }
    readonly query: {
      readonly token?: string
    }
    readonly body: undefined
    readonly data: {
      readonly bookingId: string
      readonly status:
        | 'pending'
        | 'processing'
        | 'succeeded'
        | 'failed'
        | 'canceled'
        | 'expired'
        | 'partially_refunded'
        | 'refunded'
        | 'disputed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly paidAt: string | null
      readonly refundedAmount: number
      readonly refundedAmountMinor: number
      readonly refundedAt: string | null
      readonly errorCode: string | null
      readonly errorMessage: string | null
      /** what the bank advises after a refusal, where it may be told */
      readonly adviceCode: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later' | null
      /** what the payer still has to do for the bank */
      readonly nextAction: 'authenticate' | null
      /** by when a payment that is being processed usually arrives */
      readonly expectedBy: string | null
      /** paid, but the seats had been given to others when the money came */
      readonly bookingLost: boolean
      readonly updatedAt: string
      readonly version: number
    }
  }
  /** Where the payment of a booking stands, asking Stripe while it is not final */
  'GET /payments/{bookingId}/verify': {
    readonly path: {
      readonly bookingId: string
    }
    readonly query: {
      readonly token?: string
    }
    readonly body: undefined
    readonly data: {
      readonly bookingId: string
      readonly status:
        | 'pending'
        | 'processing'
        | 'succeeded'
        | 'failed'
        | 'canceled'
        | 'expired'
        | 'partially_refunded'
        | 'refunded'
        | 'disputed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly paidAt: string | null
      readonly refundedAmount: number
      readonly refundedAmountMinor: number
      readonly refundedAt: string | null
      readonly errorCode: string | null
      readonly errorMessage: string | null
      /** what the bank advises after a refusal, where it may be told */
      readonly adviceCode: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later' | null
      /** what the payer still has to do for the bank */
      readonly nextAction: 'authenticate' | null
      /** by when a payment that is being processed usually arrives */
      readonly expectedBy: string | null
      /** paid, but the seats had been given to others when the money came */
      readonly bookingLost: boolean
      readonly updatedAt: string
      readonly version: number
    }
  }
  /** Where the payment of a booking stands, at once and at every change (Server-Sent Events `status`) */
  'GET /payments/{bookingId}/stream': {
    readonly path: {
      readonly bookingId: string
    }
    readonly query: {
      readonly token?: string
    }
    readonly body: undefined
    readonly data: {
      readonly bookingId: string
      readonly status:
        | 'pending'
        | 'processing'
        | 'succeeded'
        | 'failed'
        | 'canceled'
        | 'expired'
        | 'partially_refunded'
        | 'refunded'
        | 'disputed'
      readonly amount: number
      readonly amountMinor: number
      readonly currency: string
      readonly paidAt: string | null
      readonly refundedAmount: number
      readonly refundedAmountMinor: number
      readonly refundedAt: string | null
      readonly errorCode: string | null
      readonly errorMessage: string | null
      /** what the bank advises after a refusal, where it may be told */
      readonly adviceCode: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later' | null
      /** what the payer still has to do for the bank */
      readonly nextAction: 'authenticate' | null
      /** by when a payment that is being processed usually arrives */
      readonly expectedBy: string | null
      /** paid, but the seats had been given to others when the money came */
      readonly bookingLost: boolean
      readonly updatedAt: string
      readonly version: number
    }
  }
}
