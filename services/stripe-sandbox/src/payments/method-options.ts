import { choice, integer, object, text } from '../http/params.ts'

/** The `payment_method_options` that do something here: 3-D Secure on request, and kinds of bank transfers. */
export const CARD_OPTIONS = object({ request_three_d_secure: choice('any', 'automatic', 'challenge') })

export const METHOD_OPTIONS = object({
  card: CARD_OPTIONS,
  customer_balance: object({
    bank_transfer: object({ type: text() }),
    funding_type: choice('bank_transfer'),
  }),
})

/** Checked as Stripe checks it; the sandbox keeps no mandates, and shows none. */
export const MANDATE_DATA = object({
  customer_acceptance: object({
    accepted_at: integer(),
    offline: object({}),
    online: object({ ip_address: text(), user_agent: text() }),
    type: choice('offline', 'online'),
  }),
})

/** The payer's Radar session: kept and shown. */
export const RADAR_OPTIONS = object({ session: text() })
