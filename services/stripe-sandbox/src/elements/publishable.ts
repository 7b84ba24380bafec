import { timingSafeEqual } from 'node:crypto'
import { noSuch } from '../errors.ts'
import { secretKeyRequired } from '../http/authentication.ts'
import type { FormObject } from '../http/form.ts'
import type { Store } from '../store/store.ts'

// What a payer's browser may do, with the client secret of its payment and a publishable key.
const ALLOWED: ReadonlySet<string> = new Set([
  'GET /v1/payment_intents/:id',
  'POST /v1/payment_intents/:id/confirm',
])

type Call = { readonly method: string; readonly path: string; readonly id: string; readonly form: FormObject }

/** Throws unless the call is one for browsers and brings the payment's own client secret. */
export function requireClientSecret(store: Store, { method, path, id, form }: Call): void {
  if (!ALLOWED.has(`${method} ${path}`)) throw secretKeyRequired()
  const intent = store.get('payment_intents', id)
  const given = form['client_secret']
  const secret = Buffer.from(intent?.clientSecret ?? '')
  const sent = Buffer.from(typeof given === 'string' ? given : '')
  // As at Stripe, a wrong secret is answered like a payment that does not exist.
  if (!intent || sent.length !== secret.length || !timingSafeEqual(sent, secret))
    throw noSuch('payment_intent', id, { param: 'intent' })
}

// What is between the merchant and Stripe is not shown to a browser.
const HIDDEN = ['customer', 'latest_charge', 'metadata', 'transfer_data', 'transfer_group'] as const

/** The answer as a browser gets it. */
export function forBrowsers(body: string): string {
  const answer = JSON.parse(body) as { [field: string]: unknown; error?: { payment_intent?: object } }
  const intents = [answer, answer.error?.payment_intent ?? {}] as Record<string, unknown>[]
  for (const intent of intents)
    if (intent['object'] === 'payment_intent') for (const field of HIDDEN) delete intent[field]
  return JSON.stringify(answer, null, 2)
}
