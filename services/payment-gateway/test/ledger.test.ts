import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { call, eventually, payAtSandbox, startPlatform, tokenOf } from './platform.ts'
import type { Platform } from './platform.ts'

const CARDS = {
  plain: '4242424242424242',
  disputed: '4000000000000259',
  inquired: '4000000000001976',
  refundFails: '4000000000005126',
}

let platform: Platform
before(async () => {
  platform = await startPlatform({
    sandbox: { settings: { chargeUpdatedDelayMs: 20, disputeDecidedDelayMs: 50, refundSettledDelayMs: 50 } },
  })
})
after(() => platform.stop())

async function paidWith(card: string): Promise<{ readonly bookingId: string; readonly intentId: string }> {
  const { id: bookingId } = platform.addBooking({ amountMinor: 10_000 })
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
  await payAtSandbox(platform, body.data['sessionId'] ?? '', card)
  const intentId = await eventually('the confirmation', async () => {
    const [told] = platform.booking.toldOf(bookingId)
    return told?.paymentIntentId ?? null
  })
  return { bookingId, intentId }
}

async function refund(bookingId: string, amountMinor: number): Promise<void> {
  const { status } = await call(platform, 'POST', `/payments/${bookingId}/refunds`, {
    body: { amountMinor },
    bearer: await tokenOf('cus_operator', ['operator']),
    headers: { 'idempotency-key': randomUUID() },
  })
  assert.equal(status, 200)
}

const headers = { authorization: 'Bearer sk_test_platform' }

async function stripeList(path: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${platform.sandbox.url}/v1/${path}`, { headers })
  return ((await response.json()) as { data: Record<string, unknown>[] }).data
}

async function disputeOf(intentId: string): Promise<string> {
  return eventually('the dispute', async () => {
    const [dispute] = await stripeList(`disputes?payment_intent=${intentId}`)
    return typeof dispute?.['id'] === 'string' && dispute['id']
  })
}

async function decide(disputeId: string, verdict: string): Promise<void> {
  const response = await fetch(`${platform.sandbox.url}/_sandbox/disputes/${disputeId}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ verdict }),
  })
  assert.equal(response.status, 200)
}

const post = (path: string, body: URLSearchParams | string, type: string): Promise<Response> =>
  fetch(`${platform.sandbox.url}/${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': type },
    body,
  })

async function setFaults(faults: object): Promise<void> {
  const { status } = await post('_sandbox/faults', JSON.stringify(faults), 'application/json')
  assert.equal(status, 200)
}

async function feeOf(bookingId: string): Promise<number | null> {
  const { rows } = await platform.pool.query<{ amount_minor: number }>(
    `select l.amount_minor from ledger_entries l join payments p on p.id = l.payment_id
     where p.booking_id = $1 and l.account = 'stripe_fees'`,
    [bookingId],
  )
  return rows[0]?.amount_minor ?? null
}

describe('the ledger, after every kind of life', () => {
  it('holds what Stripe holds, fee by fee and dispute by dispute, and every account adds up to nothing', async () => {
    const part = await paidWith(CARDS.plain)
    await refund(part.bookingId, 4000)
    await refund((await paidWith(CARDS.refundFails)).bookingId, 2500)
    await decide(await disputeOf((await paidWith(CARDS.disputed)).intentId), 'won')
    await decide(await disputeOf((await paidWith(CARDS.disputed)).intentId), 'lost')
    const asked = await paidWith(CARDS.inquired)
    await refund(asked.bookingId, 1000)
    await decide(await disputeOf(asked.intentId), 'escalate')

    const agreed = await eventually('the ledger to hold what Stripe holds', async () => {
      const { rows } = await platform.pool.query<{ account: string; sum: number }>(
        'select account, sum(amount_minor)::bigint as sum from ledger_entries group by account',
      )
      const ledger = Object.fromEntries(rows.map(({ account, sum }) => [account, sum]))
      const transactions = await stripeList('balance_transactions?limit=100')
      const held = transactions.reduce((sum, { net }) => sum + Number(net), 0)
      const fees = transactions.reduce((sum, { fee }) => sum + Number(fee), 0)
      return ledger['stripe_balance'] === held && ledger['stripe_fees'] === fees && { ledger, transactions }
    })
    assert.equal(
      Object.values(agreed.ledger).reduce((sum, amount) => sum + amount, 0),
      0,
    )
    // Two disputes are away with 15.00 each, the won one gave its fee back.
    assert.equal(agreed.ledger['disputed_funds'], 20_000)
    assert.equal(agreed.transactions.filter(({ type }) => type === 'adjustment').length, 4)
  })

  it('learns the fee of a payment made elsewhere although its charge is the first that is heard of it', async () => {
    const { id: bookingId, amountMinor, currency } = platform.addBooking({ amountMinor: 7000 })
    const deafTo = (...types: string[]) => ({
      rules: types.map((type) => ({ on: 'webhook', type, fault: 'drop' })),
    })
    const setFaults = (faults: object) => post('_sandbox/faults', JSON.stringify(faults), 'application/json')
    await setFaults(deafTo('payment_intent.*', 'charge.succeeded'))
    const form = new URLSearchParams({
      amount: String(amountMinor),
      currency,
      confirm: 'true',
      payment_method: 'pm_card_visa',
      return_url: 'http://localhost:5173/',
      'metadata[booking_id]': bookingId,
    })
    const answer = await post('v1/payment_intents', form, 'application/x-www-form-urlencoded')
    assert.equal(answer.status, 200)
    assert.equal(await eventually('the fee', () => feeOf(bookingId)), 130)
    await setFaults({ rules: [] })
  })

  it('reads a fee seconds after Stripe could not be asked for it', async () => {
    // Three times: the SDK tries again twice by itself.
    const fault = { on: 'api', route: 'GET /v1/balance_transactions/*', fault: 'reset_before', times: 3 }
    await setFaults({ rules: [fault] })
    const { bookingId } = await paidWith(CARDS.plain)
    assert.equal(await eventually('the fee', () => feeOf(bookingId), 25_000), 175)
  })
})
