// Stripe's test cards, tokens and accounts: what each does, from its number and from its alias.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type Stripe from 'stripe'
import { DEFAULT_SETTINGS } from '../src/settings.ts'
import type { World } from './merchant.ts'
import { control, failure, startWorld } from './merchant.ts'

let world: World
before(async () => {
  world = await startWorld({ settings: DEFAULT_SETTINGS })
  await control(world.sandbox, 'clock', { speed: 0 })
})
after(() => world.stop())

const advance = (seconds: number) => control(world.sandbox, 'clock/advance', { seconds })

async function methodOf(number: string, over: object = {}): Promise<string> {
  const card = { number, exp_month: 12, exp_year: 2034, cvc: '123', ...over }
  return (await world.stripe.paymentMethods.create({ type: 'card', card })).id
}
const confirm = (payment_method: string): Promise<Stripe.PaymentIntent> =>
  world.stripe.paymentIntents.create({
    amount: 4000,
    currency: 'usd',
    payment_method,
    confirm: true,
    return_url: 'http://localhost/r',
  })

/** From the number and from every alias, as PaymentMethod and as token. */
async function each(
  number: string,
  alias: string | null,
  check: (method: string) => Promise<void>,
): Promise<void> {
  await check(await methodOf(number))
  if (alias === null) return
  await check(`pm_card_${alias}`)
  // The tokens of disputed cards are spelt both ways.
  for (const token of alias.startsWith('create') ? [`tok_${alias}`, `tok_visa_${alias}`] : [`tok_${alias}`]) {
    const data = { type: 'card', card: { token } } as Stripe.PaymentMethodCreateParams
    await check((await world.stripe.paymentMethods.create(data)).id)
  }
}

describe('cards that pay', () => {
  const cards: [number: string, alias: string | null, brand: string][] = [
    ['4242424242424242', 'visa', 'visa'],
    ['5555555555554444', 'mastercard', 'mastercard'],
    ['378282246310005', 'amex', 'amex'],
    ['4000000000000077', 'bypassPending', 'visa'],
    ['4000000000003055', null, 'visa'],
    ['4000000032200000', null, 'visa'],
    ['4000000000009235', null, 'visa'],
  ]
  for (const [number, alias, brand] of cards) {
    test(`${number} ${alias ?? ''}`, () =>
      each(number, alias, async (method) => {
        const { status, latest_charge } = await confirm(method)
        assert.equal(status, 'succeeded')
        const { payment_method_details } = await world.stripe.charges.retrieve(latest_charge as string)
        assert.equal(payment_method_details?.card?.brand, brand)
      }))
  }

  test('4000000000000077 makes the money available at once, others in a week', async () => {
    const statusOf = async (method: string): Promise<string> => {
      const { latest_charge } = await confirm(method)
      await advance(3)
      const charge = await world.stripe.charges.retrieve(latest_charge as string, {
        expand: ['balance_transaction'],
      })
      return (charge.balance_transaction as Stripe.BalanceTransaction).status
    }
    assert.deepEqual(
      [await statusOf('pm_card_bypassPending'), await statusOf('pm_card_visa')],
      ['available', 'pending'],
    )
  })

  test('4000000000009235 is of elevated risk', async () => {
    const { latest_charge } = await confirm(await methodOf('4000000000009235'))
    assert.equal(
      (await world.stripe.charges.retrieve(latest_charge as string)).outcome?.risk_level,
      'elevated',
    )
  })
})

describe('cards that are declined', () => {
  const cards: [number: string, alias: string, code: string, declineCode: string][] = [
    ['4000000000000002', 'visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['4000000000000002', 'chargeDeclined', 'card_declined', 'generic_decline'],
    ['4000000000009995', 'visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['4000000000009987', 'visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['4000000000009979', 'visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['4000000000000069', 'chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
    ['4000000000000127', 'chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
    ['4000000000000119', 'chargeDeclinedProcessingError', 'processing_error', 'processing_error'],
    [
      '4000000000006975',
      'visa_chargeDeclinedVelocityLimitExceeded',
      'card_declined',
      'card_velocity_exceeded',
    ],
    ['4000000000000341', 'chargeCustomerFail', 'card_declined', 'generic_decline'],
    ['4100000000000019', 'radarBlock', 'card_declined', 'fraudulent'],
    ['4000008400001280', 'threeDSecureRequiredProcessingError', 'processing_error', 'processing_error'],
  ]
  for (const [number, alias, code, declineCode] of cards) {
    test(`${number} ${alias}`, () =>
      each(number, alias, async (method) => {
        const error = await failure(confirm(method))
        assert.deepEqual([error.statusCode, error.code, error.decline_code], [402, code, declineCode])
      }))
  }

  test('4000000000000341 is attached to a customer before it declines', async () => {
    const { id } = await world.stripe.customers.create({})
    const method = await world.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: id })
    assert.equal(method.customer, id)
  })

  test('4100000000000019 never reaches the network', async () => {
    const error = await failure(confirm('pm_card_radarBlock'))
    const { outcome } = await world.stripe.charges.retrieve((error.raw as { charge: string }).charge)
    assert.deepEqual(
      [outcome?.type, outcome?.network_status, outcome?.risk_level],
      ['blocked', 'not_sent_to_network', 'highest'],
    )
  })

  const impossible: [what: string, card: object, code: string, param: string][] = [
    ['a number that fails its check digit', { number: '4242424242424241' }, 'incorrect_number', 'number'],
    ['month 13', { exp_month: 13 }, 'invalid_expiry_month', 'exp_month'],
    ['year 1995', { exp_year: 95 }, 'invalid_expiry_year', 'exp_year'],
    ['a code of two digits', { cvc: '99' }, 'invalid_cvc', 'cvc'],
  ]
  for (const [what, over, code, param] of impossible) {
    test(`${what} is refused before anything is charged`, async () => {
      const error = await failure(methodOf('4242424242424242', over))
      assert.deepEqual([error.statusCode, error.code, error.param], [402, code, param])
    })
  }
})

describe('cards with 3-D Secure', () => {
  const cards: [number: string, alias: string | null, after: string | null][] = [
    ['4000002500003155', 'authenticationRequiredOnSetup', null],
    ['4000002760003184', 'authenticationRequired', null],
    ['4000003800000446', 'authenticationRequiredSetupForOffSession', null],
    ['4000000000003220', 'threeDSecure2Required', null],
    ['4000008400000027', 'threeDSecureRequired', null],
    ['4000008260003178', 'authenticationRequiredChargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['4000008400001629', 'threeDSecureRequiredChargeDeclined', 'generic_decline'],
  ]
  for (const [number, alias, after] of cards) {
    test(`${number} ${after === null ? 'pays' : `ends with ${after}`} once the payer has passed`, () =>
      each(number, alias, async (method) => {
        const { id, status } = await confirm(method)
        assert.equal(status, 'requires_action')
        await control(world.sandbox, `payment_intents/${id}/authenticate`, { result: 'complete' })
        const intent = await world.stripe.paymentIntents.retrieve(id)
        assert.deepEqual(
          [intent.status, intent.last_payment_error?.decline_code ?? null],
          [after === null ? 'succeeded' : 'requires_payment_method', after],
        )
      }))
  }

  test('4000002500003155 asks no more off session once it was set up', async () => {
    const customer = (await world.stripe.customers.create({})).id
    const { id } = await world.stripe.paymentMethods.attach('pm_card_authenticationRequiredOnSetup', {
      customer,
    })
    const intent = await world.stripe.paymentIntents.create({
      amount: 4000,
      currency: 'usd',
      customer,
      payment_method: id,
      off_session: true,
      confirm: true,
    })
    assert.equal(intent.status, 'succeeded')
  })
})

describe('cards that pay and then trouble', () => {
  const disputes: [number: string, alias: string, statuses: string[], reason: string][] = [
    ['4000000000000259', 'createDispute', ['needs_response'], 'fraudulent'],
    ['4000000000002685', 'createDisputeProductNotReceived', ['needs_response'], 'product_not_received'],
    ['4000000000001976', 'createDisputeInquiry', ['warning_needs_response'], 'fraudulent'],
    ['4000000404000079', 'createMultipleDisputes', ['needs_response', 'needs_response'], 'fraudulent'],
  ]
  for (const [number, alias, statuses, reason] of disputes) {
    test(`${number} ${alias}`, () =>
      each(number, alias, async (method) => {
        const { status, latest_charge } = await confirm(method)
        assert.equal(status, 'succeeded')
        await advance(3)
        const { data } = await world.stripe.disputes.list({ charge: latest_charge as string })
        assert.deepEqual(
          data.map((dispute) => dispute.status),
          statuses,
        )
        assert.equal(data[0]?.reason, reason)
      }))
  }

  const refunds: [number: string, alias: string, first: string, last: string][] = [
    ['4000000000007726', 'pendingRefund', 'pending', 'succeeded'],
    ['4000000000005126', 'refundFail', 'succeeded', 'failed'],
  ]
  for (const [number, alias, first, last] of refunds) {
    test(`${number} ${alias}`, () =>
      each(number, alias, async (method) => {
        const { id } = await confirm(method)
        const refund = await world.stripe.refunds.create({ payment_intent: id })
        assert.equal(refund.status, first)
        await advance(6)
        assert.equal((await world.stripe.refunds.retrieve(refund.id)).status, last)
      }))
  }
})

describe('accounts of SEPA debit', () => {
  const debit = async (iban: string): Promise<Stripe.PaymentIntent> =>
    world.stripe.paymentIntents.create({
      amount: 4000,
      currency: 'eur',
      payment_method_data: {
        type: 'sepa_debit',
        sepa_debit: { iban },
        billing_details: { name: 'Ana', email: 'ana@example.com' },
      },
      confirm: true,
      mandate_data: { customer_acceptance: { type: 'offline' } },
    })
  const WAIT_S = { now: 5, later: 181 }
  const accounts: [
    what: string,
    ibans: string[],
    when: keyof typeof WAIT_S,
    end: string,
    failure: string | null,
  ][] = [
    [
      'pay',
      ['FR1420041010050500013M02606', 'AT611904300234573201', 'DE89370400440532013000'],
      'now',
      'succeeded',
      null,
    ],
    [
      'pay after three minutes',
      ['FR3020041010050500013M02609', 'AT321904300235473204', 'DE08370400440532013003'],
      'later',
      'succeeded',
      null,
    ],
    [
      'fail',
      [
        'FR8420041010050500013M02607',
        'AT861904300235473202',
        'DE62370400440532013001',
        'IT60X0542811101000000123456',
      ],
      'now',
      'failed',
      'payment_intent_payment_attempt_failed',
    ],
    [
      'fail after three minutes',
      ['FR7920041010050500013M02600', 'AT051904300235473205'],
      'later',
      'failed',
      'payment_intent_payment_attempt_failed',
    ],
    ['exceed their own limit', ['DE65370400440000343434'], 'now', 'failed', 'charge_exceeds_source_limit'],
    ['exceed your weekly limit', ['DE27370400440000121212'], 'now', 'failed', 'charge_exceeds_weekly_limit'],
    ['have no funds', ['DE65370400440002222227'], 'now', 'failed', 'insufficient_funds'],
  ]
  for (const [what, ibans, when, end, failureCode] of accounts) {
    test(`that ${what}`, async () => {
      for (const iban of ibans) {
        const { id, status, latest_charge } = await debit(iban)
        assert.equal(status, 'processing', iban)
        await advance(WAIT_S[when] - 3)
        if (when === 'later')
          assert.equal((await world.stripe.paymentIntents.retrieve(id)).status, 'processing')
        await advance(3)
        const charge = await world.stripe.charges.retrieve(latest_charge as string)
        assert.deepEqual([charge.status, charge.failure_code], [end, failureCode], iban)
      }
    })
  }

  test('that pay and are disputed', async () => {
    for (const iban of ['FR5720041010050500013M02608', 'AT591904300235473203']) {
      const { latest_charge } = await debit(iban)
      await advance(6)
      const { data } = await world.stripe.disputes.list({ charge: latest_charge as string })
      assert.equal(data.length, 1, iban)
    }
  })

  test('that nobody has are refused', async () => {
    for (const iban of ['DE00370400440000343434', 'nothing'])
      assert.equal((await failure(debit(iban))).code, 'invalid_bank_account_iban', iban)
  })
})
