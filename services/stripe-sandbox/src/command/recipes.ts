import type { Form, Json, SandboxClient } from './sandbox.client.ts'

/** Does what makes Stripe emit one event. */
export type Recipe = (sandbox: SandboxClient) => Promise<unknown>

const text = (object: Json, field: string): string => String(object[field])

async function payment(sandbox: SandboxClient, more: Form = {}): Promise<Json> {
  const form = { amount: 2000, currency: 'eur', confirm: true, payment_method: 'pm_card_visa', ...more }
  // A declined payment is what some events are about.
  return sandbox.api('POST', '/v1/payment_intents', form, 402)
}

async function session(sandbox: SandboxClient, pay?: string): Promise<Json> {
  const item = { currency: 'eur', unit_amount: 12_900, product_data: { name: 'Kayak at dawn' } }
  const opened = await sandbox.api('POST', '/v1/checkout/sessions', {
    mode: 'payment',
    success_url: 'http://localhost:5173/success?session_id={CHECKOUT_SESSION_ID}',
    line_items: [{ quantity: 1, price_data: item }],
  })
  if (pay !== undefined) {
    await sandbox.control('POST', `sessions/${text(opened, 'id')}/pay`, {
      card: pay,
      email: 'payer@example.com',
    })
  }
  return opened
}

async function customer(sandbox: SandboxClient): Promise<string> {
  return text(await sandbox.api('POST', '/v1/customers', { name: 'Ana Payer' }), 'id')
}

async function refund(sandbox: SandboxClient, card = 'pm_card_visa'): Promise<Json> {
  const paid = await payment(sandbox, { payment_method: card })
  return sandbox.api('POST', '/v1/refunds', { payment_intent: text(paid, 'id') })
}

async function dispute(sandbox: SandboxClient, verdict?: string): Promise<void> {
  const paid = await payment(sandbox)
  const opened = await sandbox.control('POST', `charges/${text(paid, 'latest_charge')}/dispute`, {})
  if (verdict !== undefined)
    await sandbox.control('POST', `disputes/${text(opened, 'id')}/decide`, { verdict })
}

async function debit(sandbox: SandboxClient): Promise<Json> {
  return payment(sandbox, {
    payment_method: '',
    payment_method_data: {
      type: 'sepa_debit',
      sepa_debit: { iban: 'AT321904300235473204' },
      billing_details: { name: 'Ana Payer', email: 'payer@example.com' },
    },
  })
}

async function product(sandbox: SandboxClient): Promise<string> {
  return text(await sandbox.api('POST', '/v1/products', { name: 'Kayak at dawn' }), 'id')
}

async function price(sandbox: SandboxClient): Promise<string> {
  const form = { currency: 'eur', unit_amount: 12_900, product: await product(sandbox) }
  return text(await sandbox.api('POST', '/v1/prices', form), 'id')
}

async function method(sandbox: SandboxClient): Promise<string> {
  const owner = await customer(sandbox)
  return text(await sandbox.api('POST', '/v1/payment_methods/pm_card_visa/attach', { customer: owner }), 'id')
}

async function setup(sandbox: SandboxClient, card: string): Promise<Json> {
  return sandbox.api('POST', '/v1/setup_intents', { confirm: true, payment_method: card }, 402)
}

async function payout(sandbox: SandboxClient): Promise<string> {
  // Much, because refunds and disputes may have taken the balance below zero.
  await payment(sandbox, { amount: 90_000_000, payment_method: 'pm_card_bypassPending' })
  const form = { amount: 1000, currency: 'eur' }
  return text(await sandbox.api('POST', '/v1/payouts', form), 'id')
}

const CHANGE = { metadata: { changed: 'yes' } }

const PAYMENTS: Readonly<Record<string, Recipe>> = {
  'payment_intent.amount_capturable_updated': (to) => payment(to, { capture_method: 'manual' }),
  'payment_intent.canceled': async (to) => {
    const made = await payment(to, { confirm: false })
    return to.api('POST', `/v1/payment_intents/${text(made, 'id')}/cancel`)
  },
  'payment_intent.created': (to) => payment(to, { confirm: false }),
  'payment_intent.payment_failed': (to) => payment(to, { payment_method: 'pm_card_visa_chargeDeclined' }),
  'payment_intent.processing': debit,
  'payment_intent.requires_action': (to) => payment(to, { payment_method: 'pm_card_authenticationRequired' }),
  'payment_intent.succeeded': (to) => payment(to),
  'charge.captured': async (to) => {
    const held = await payment(to, { capture_method: 'manual' })
    return to.api('POST', `/v1/payment_intents/${text(held, 'id')}/capture`)
  },
  'charge.dispute.closed': (to) => dispute(to, 'lost'),
  'charge.dispute.created': (to) => dispute(to),
  'charge.dispute.funds_reinstated': (to) => dispute(to, 'won'),
  'charge.dispute.funds_withdrawn': (to) => dispute(to),
  'charge.failed': (to) => payment(to, { payment_method: 'pm_card_visa_chargeDeclined' }),
  'charge.pending': debit,
  'charge.refund.updated': (to) => refund(to),
  'charge.refunded': (to) => refund(to),
  'charge.succeeded': (to) => payment(to),
  'charge.updated': (to) => payment(to),
  'radar.early_fraud_warning.created': (to) =>
    payment(to, { payment_method: 'pm_card_createIssuerFraudRecord' }),
  'refund.created': (to) => refund(to),
  'refund.failed': (to) => refund(to, 'pm_card_refundFail'),
  'refund.updated': (to) => refund(to),
}

const CHECKOUT: Readonly<Record<string, Recipe>> = {
  'checkout.session.async_payment_failed': (to) => session(to, 'AT861904300235473202'),
  'checkout.session.async_payment_succeeded': (to) => session(to, 'AT611904300234573201'),
  'checkout.session.completed': (to) => session(to, 'pm_card_visa'),
  'checkout.session.expired': async (to) =>
    to.api('POST', `/v1/checkout/sessions/${text(await session(to), 'id')}/expire`),
}

const ACCOUNT: Readonly<Record<string, Recipe>> = {
  'customer.created': customer,
  'customer.deleted': async (to) => to.api('DELETE', `/v1/customers/${await customer(to)}`),
  'customer.updated': async (to) => to.api('POST', `/v1/customers/${await customer(to)}`, CHANGE),
  'payment_method.attached': method,
  'payment_method.detached': async (to) => to.api('POST', `/v1/payment_methods/${await method(to)}/detach`),
  'payment_method.updated': async (to) => to.api('POST', `/v1/payment_methods/${await method(to)}`, CHANGE),
  'payout.created': payout,
  'payout.updated': async (to) => to.api('POST', `/v1/payouts/${await payout(to)}`, CHANGE),
  'price.created': price,
  'price.updated': async (to) => to.api('POST', `/v1/prices/${await price(to)}`, CHANGE),
  'product.created': product,
  'product.deleted': async (to) => to.api('DELETE', `/v1/products/${await product(to)}`),
  'product.updated': async (to) => to.api('POST', `/v1/products/${await product(to)}`, CHANGE),
  'setup_intent.created': (to) => to.api('POST', '/v1/setup_intents'),
  'setup_intent.requires_action': (to) => setup(to, 'pm_card_authenticationRequired'),
  'setup_intent.setup_failed': (to) => setup(to, 'pm_card_visa_chargeDeclined'),
  'setup_intent.succeeded': (to) => setup(to, 'pm_card_visa'),
}

/** What `trigger` can make happen, by the event's name. */
export const RECIPES: Readonly<Record<string, Recipe>> = { ...CHECKOUT, ...PAYMENTS, ...ACCOUNT }
