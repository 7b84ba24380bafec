import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { call, eventually, payAtSandbox, SERVICE_TOKEN, startPlatform, tokenOf } from './platform.ts'
import type { Answer, Platform } from './platform.ts'

let platform: Platform
let operator: string
before(async () => {
  platform = await startPlatform()
  operator = await tokenOf('cus_operator', ['operator'])
})
after(() => platform.stop())

async function paid(amountMinor = 10_000, currency = 'eur'): Promise<string> {
  const booking = platform.addBooking({ amountMinor, currency })
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
  await payAtSandbox(platform, body.data['sessionId'] ?? '')
  await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length === 1)
  return booking.id
}

function refund(
  bookingId: string,
  body: Record<string, unknown> = {},
  key: string | null = randomUUID(),
  bearer = operator,
): Promise<Answer> {
  return call(platform, 'POST', `/payments/${bookingId}/refunds`, {
    body,
    bearer,
    ...(key === null ? {} : { headers: { 'idempotency-key': key } }),
  })
}

/** The balances of a payment's accounts; fees, which come seconds later by themselves, only where asked for. */
async function ledgerOf(bookingId: string, withFees = false): Promise<Record<string, number>> {
  const { rows } = await platform.pool.query<{ account: string; sum: number }>(
    "select account, sum(l.amount_minor)::bigint as sum from ledger_entries l join payments p on p.id = l.payment_id where p.booking_id = $1 and ($2 or posting not like 'fee %') group by account",
    [bookingId, withFees],
  )
  return Object.fromEntries(rows.map(({ account, sum }) => [account, sum]))
}

const statusOf = async (bookingId: string) =>
  (await call(platform, 'GET', `/payments/${bookingId}/status`)).body.data

describe('POST /payments/:bookingId/refunds answers 200', () => {
  it('gives back a part, then the rest, tells the booking service each, and the ledger agrees', async () => {
    const id = await paid()
    const part = await refund(id, { amount: 29, reason: 'requested_by_customer' })
    assert.equal(part.status, 200)
    assert.deepEqual(Object.keys(part.body.data).sort(), [
      'amount',
      'amountMinor',
      'bookingId',
      'createdAt',
      'currency',
      'paymentId',
      'reason',
      'refundId',
      'status',
    ])
    assert.deepEqual(
      [part.body.data['amountMinor'], part.body.data['amount'], part.body.data['status']],
      [2900, 29, 'succeeded'],
    )
    assert.deepEqual(
      [(await statusOf(id))['status'], (await statusOf(id))['refundedAmount']],
      ['partially_refunded', 29],
    )
    assert.deepEqual(await ledgerOf(id), { customer_funds: -7100, stripe_balance: 7100 })
    const rest = await refund(id)
    assert.equal(rest.body.data['amountMinor'], 7100)
    assert.equal((await statusOf(id))['status'], 'refunded')
    assert.deepEqual(await ledgerOf(id), { customer_funds: 0, stripe_balance: 0 })
    await eventually('all announcements', () => platform.booking.toldOf(id).length === 3)
    assert.deepEqual(
      platform.booking.toldOf(id).map(({ status, refundedAmountMinor }) => [status, refundedAmountMinor]),
      [
        ['confirmed', undefined],
        ['partially_refunded', 2900],
        ['cancelled', 10_000],
      ],
    )
  })

  it('refunds once under the same Idempotency-Key, however many ask at the same time', async () => {
    const id = await paid()
    const key = randomUUID()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => refund(id, { amountMinor: 1000 }, key)),
    )
    const made = answers.filter(({ status }) => status === 200)
    assert.ok(made.length > 0)
    assert.ok(
      answers.every(({ status }) => status === 200 || status === 503),
      answers.map(({ status }) => status).join(' '),
    )
    assert.equal(new Set(made.map(({ body }) => body.data['refundId'])).size, 1)
    assert.equal(
      (await refund(id, { amountMinor: 1000 }, key)).body.data['refundId'],
      made[0]?.body.data['refundId'],
    )
    assert.equal((await statusOf(id))['refundedAmountMinor'], 1000)
  })

  it('never gives back more than there is when different requests race', async () => {
    const id = await paid()
    const answers = await Promise.all(Array.from({ length: 8 }, () => refund(id, { amountMinor: 3000 })))
    assert.deepEqual(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [200, 200, 200, 409, 409, 409, 409, 409],
    )
    assert.equal((await statusOf(id))['refundedAmountMinor'], 9000)
  })

  it('takes a reason in any words: Stripe is told its own three, the others are kept here', async () => {
    const id = await paid()
    const words = 'The guide fell ill, 14 July'
    const key = randomUUID()
    for (let times = 0; times < 2; times += 1)
      assert.equal((await refund(id, { amountMinor: 100, reason: words }, key)).body.data['reason'], words)
    assert.equal(
      (await refund(id, { amountMinor: 100, reason: 'Another' }, key)).body.error.code,
      'IDEMPOTENCY_KEY_REUSED',
    )
    const known = await refund(id, { amountMinor: 200, reason: 'requested_by_customer' })
    assert.equal(known.body.data['reason'], 'requested_by_customer')
    const response = await fetch(`${platform.sandbox.url}/v1/refunds?limit=2`, {
      headers: { authorization: 'Bearer sk_test_platform' },
    })
    const { data } = (await response.json()) as { data: { amount: number; reason: string | null }[] }
    assert.deepEqual(
      data.map(({ amount, reason }) => [amount, reason]),
      [
        [200, 'requested_by_customer'],
        [100, null],
      ],
    )
  })

  it('gives everything back when no body is sent, as with an empty one', async () => {
    const id = await paid()
    const answer = await call(platform, 'POST', `/payments/${id}/refunds`, { bearer: operator })
    assert.deepEqual([answer.status, answer.body.data['amountMinor']], [200, 10_000])
  })

  it('is open to the services of the platform', async () => {
    assert.equal((await refund(await paid(), { amountMinor: 100 }, null, SERVICE_TOKEN)).status, 200)
  })

  it('stands in the audit log once, with who asked, for whom and how much, however often it was sent', async () => {
    const id = await paid()
    const key = randomUUID()
    for (let times = 0; times < 2; times += 1)
      await refund(id, { amountMinor: 2500, reason: 'duplicate' }, key)
    const { rows } = await platform.pool.query<Record<string, unknown>>(
      "select actor, action, reason, before, after->'amountMinor' as amount from audit_log where subject = $1",
      [id],
    )
    assert.deepEqual(rows, [
      {
        actor: 'cus_operator',
        action: 'refund.requested',
        reason: 'duplicate',
        before: { refundableMinor: 10_000 },
        amount: 2500,
      },
    ])
  })
})

describe('POST /payments/:bookingId/refunds answers 400, 401, 403, 404', () => {
  it('says what is wrong and changes nothing', async () => {
    const id = await paid(12_950, 'jpy')
    const cases: [Promise<Answer>, number, string][] = [
      [refund(id, { amount: 10.5 }), 400, 'VALIDATION_ERROR'],
      [refund(id, { amountMinor: 0 }), 400, 'VALIDATION_ERROR'],
      [refund(id, { amountMinor: 1.5 }), 400, 'VALIDATION_ERROR'],
      [refund(id, { amount: -5 }), 400, 'VALIDATION_ERROR'],
      [refund(id, { amount: 100, amountMinor: 101 }), 400, 'VALIDATION_ERROR'],
      [refund(id, { reason: '' }), 400, 'VALIDATION_ERROR'],
      [refund(id, { reason: 'x'.repeat(501) }), 400, 'VALIDATION_ERROR'],
      [refund(id, {}, 'key with spaces'), 400, 'VALIDATION_ERROR'],
      [call(platform, 'POST', `/payments/${id}/refunds`, { body: {}, as: null }), 401, 'UNAUTHENTICATED'],
      [call(platform, 'POST', `/payments/${id}/refunds`, { body: {} }), 403, 'FORBIDDEN'],
      [refund('bkg_unknown'), 404, 'NOT_FOUND'],
    ]
    for (const [pending, status, code] of cases) {
      const answer = await pending
      assert.deepEqual([answer.status, answer.body.error.code], [status, code])
    }
    assert.equal((await statusOf(id))['refundedAmountMinor'], 0)
  })
})

describe('what POST /payments/:bookingId/refunds says of a body it refuses', () => {
  it('names the fields to mend, and nothing else', async () => {
    const { id } = platform.addBooking()
    const problemsOf = async (body: unknown) =>
      (await call(platform, 'POST', `/payments/${id}/refunds`, { body, bearer: SERVICE_TOKEN })).body.error
        .details
    assert.deepEqual(await problemsOf({ amount: -5, reason: '' }), [
      { field: 'body.amount', problem: 'must be > 0' },
      { field: 'body.reason', problem: 'must NOT have fewer than 1 characters' },
    ])
    assert.deepEqual(await problemsOf({ amountMinor: '500' }), [
      { field: 'body.amountMinor', problem: 'must be integer' },
    ])
    assert.deepEqual(await problemsOf('everything'), [{ field: 'body', problem: 'must be object' }])
  })
})

describe('POST /payments/:bookingId/refunds answers 409', () => {
  it('when more is asked for than is left, when nothing was received, when a key is used for something else', async () => {
    const id = await paid()
    const key = randomUUID()
    assert.equal((await refund(id, { amountMinor: 10_001 })).body.error.code, 'INVALID_STATE')
    assert.equal((await refund(id, { amountMinor: 6000 }, key)).status, 200)
    assert.equal((await refund(id, { amountMinor: 5000 })).status, 409)
    assert.equal((await refund(id, { amountMinor: 100 }, key)).body.error.code, 'IDEMPOTENCY_KEY_REUSED')
    const unpaid = platform.addBooking()
    await call(platform, 'POST', '/sessions', { body: { bookingId: unpaid.id } })
    assert.equal((await refund(unpaid.id)).body.error.code, 'INVALID_STATE')
  })
})

describe('a second payment of the same booking', () => {
  it('is reported, goes back whole and once, and leaves the booking confirmed by the first', async () => {
    const booking = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    await payAtSandbox(platform, body.data['sessionId'] ?? '')
    const {
      rows: [first],
    } = await platform.pool.query<{ id: string; payment_intent_id: string; attempt: string }>(
      'select p.id, p.payment_intent_id, a.id as attempt from payments p join payment_attempts a on a.payment_id = p.id where booking_id = $1',
      [booking.id],
    )
    // A second tab that was left open: another intent for the same attempt, paid as well.
    const form = new URLSearchParams({
      amount: '12900',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_visa',
      'automatic_payment_methods[enabled]': 'true',
      return_url: 'http://localhost/back',
    })
    for (const [key, value] of Object.entries({
      payment_id: first?.id,
      booking_id: booking.id,
      attempt_id: first?.attempt,
    }))
      form.set(`metadata[${key}]`, value ?? '')
    const headers = { authorization: 'Bearer sk_test_platform' }
    const second = (await (
      await fetch(`${platform.sandbox.url}/v1/payment_intents`, { method: 'POST', headers, body: form })
    ).json()) as { id: string; status: string }
    assert.equal(second.status, 'succeeded')
    const duplicate = await eventually('the refund of one of the two', async () => {
      const { rows } = await platform.pool.query<{
        payment_intent_id: string
        amount_minor: number
        reason: string
      }>('select payment_intent_id, amount_minor, reason from refunds where payment_id = $1', [first?.id])
      return rows.length > 0 && rows
    })
    assert.deepEqual(
      duplicate.map(({ amount_minor: amount, reason }) => [amount, reason]),
      [[12_900, 'duplicate']],
    )
    const { rows: incidents } = await platform.pool.query(
      'select kind from incidents where payment_id = $1',
      [first?.id],
    )
    assert.deepEqual(incidents, [{ kind: 'duplicate_payment' }])
    assert.equal((await statusOf(booking.id))['status'], 'succeeded')
    assert.deepEqual(await ledgerOf(booking.id), { customer_funds: -12_900, stripe_balance: 12_900 })
  })

  it('goes back whole although a part of it had been refunded before the first payment was heard of', async () => {
    const json = { 'content-type': 'application/json' }
    const control = (path: string, body: object) =>
      fetch(`${platform.sandbox.url}/_sandbox/${path}`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify(body),
      })
    const stripe = async (path: string, form?: URLSearchParams) => {
      const headers = { authorization: 'Bearer sk_test_platform' }
      const init = form === undefined ? { headers } : { method: 'POST', headers, body: form }
      return (await fetch(`${platform.sandbox.url}/v1/${path}`, init)).json() as Promise<
        Record<string, unknown>
      >
    }
    const list = async (path: string) => (await stripe(path))['data'] as Record<string, unknown>[]
    const booking = platform.addBooking({ amountMinor: 12_900 })
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
    const sessionId = body.data['sessionId'] ?? ''
    const rules = ['payment_intent.*', 'checkout.*'].map((type) => ({ on: 'webhook', type, fault: 'drop' }))
    await control('faults', { rules })
    const paying = payAtSandbox(platform, sessionId)
    const first = await eventually('the first payment', async () => {
      const session = await stripe(`checkout/sessions/${sessionId}`)
      return session['payment_status'] === 'paid' && String(session['payment_intent'])
    })
    await control('faults', { rules: [] })
    await control('clock/advance', { seconds: 5 })
    const form = new URLSearchParams({
      amount: '12900',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_visa',
      return_url: 'http://localhost:5173/',
      'metadata[booking_id]': booking.id,
    })
    const second = String((await stripe('payment_intents', form))['id'])
    await eventually('the second payment', () => platform.booking.toldOf(booking.id).length === 1)
    assert.equal((await refund(booking.id, { amountMinor: 1000 })).status, 200)

    const succeeded = await list('events?type=payment_intent.succeeded&limit=100')
    const missed = succeeded.find(({ data }) => (data as { object: { id: string } }).object.id === first)
    await control(`events/${String(missed?.['id'])}/resend`, {})
    await eventually('everything of the second payment to go back', async () => {
      const refunds = await list(`refunds?payment_intent=${second}`)
      return refunds.reduce((sum, { amount }) => sum + Number(amount), 0) === 12_900
    })
    assert.equal((await statusOf(booking.id))['status'], 'succeeded')
    assert.deepEqual(await list(`refunds?payment_intent=${first}`), [])
    await paying
  })
})

describe('the ledger', () => {
  it('posts the fee that Stripe tells seconds after the charge', async () => {
    const id = await paid()
    const ledger = await eventually('the fee', async () => {
      const posted = await ledgerOf(id, true)
      return posted['stripe_fees'] !== undefined && posted
    })
    const fee = ledger['stripe_fees'] ?? 0
    assert.ok(fee > 0)
    assert.deepEqual(ledger, { customer_funds: -10_000, stripe_balance: 10_000 - fee, stripe_fees: fee })
  })

  it('takes no posting that does not balance, and lets nobody change what is posted', async () => {
    const id = await paid()
    const { rows } = await platform.pool.query<{ payment_id: string }>(
      'select id as payment_id from payments where booking_id = $1',
      [id],
    )
    const insert = (entries: string) =>
      platform.pool.query(
        `insert into ledger_entries (posting, payment_id, account, amount_minor, currency) values ${entries}`,
        [rows[0]?.payment_id],
      )
    await assert.rejects(
      insert("('odd', $1, 'stripe_balance', 5, 'eur'), ('odd', $1, 'customer_funds', -4, 'eur')"),
      /does not balance/,
    )
    await assert.rejects(insert("('lone', $1, 'stripe_balance', 5, 'eur')"), /does not balance/)
    await assert.rejects(
      insert("('mixed', $1, 'stripe_balance', 5, 'eur'), ('mixed', $1, 'customer_funds', -5, 'usd')"),
      /does not balance/,
    )
    await assert.rejects(
      platform.pool.query('update ledger_entries set amount_minor = amount_minor'),
      /never changed/,
    )
    for (const sql of ['delete from ledger_entries', 'truncate ledger_entries'])
      await assert.rejects(platform.pool.query(sql), /never changed/)
  })
})

describe('a refund request that is a day old', () => {
  it('is not made twice: Stripe has forgotten its key', async () => {
    const headers = { authorization: 'Bearer sk_test_platform' }
    const faults = (rules: readonly unknown[]) =>
      fetch(`${platform.sandbox.url}/_sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ seed: 1, rules }),
      })
    const id = await paid()
    const key = randomUUID()
    await faults([{ on: 'api', route: 'POST /v1/refunds', fault: 'reset_before', times: 9 }])
    assert.equal((await refund(id, { amountMinor: 3000 }, key)).status, 503)
    const { rows } = await platform.pool.query<Record<'request' | 'payment' | 'intent', string>>(
      `update refund_requests set created_at = now() - interval '25 hours', retry_at = now() + interval '1 hour'
       where idempotency_key = $1 returning id as request, payment_id as payment, payment_intent_id as intent`,
      [key],
    )
    const { request = '', payment = '', intent = '' } = rows[0] ?? {}
    // As if Stripe had made it then, and neither its answer nor a webhook had come.
    await faults([{ on: 'webhook', type: '*', fault: 'drop' }])
    const form = {
      payment_intent: intent,
      amount: '3000',
      'metadata[payment_id]': payment,
      'metadata[refund_request_id]': request,
    }
    const body = new URLSearchParams(form)
    const made = await fetch(`${platform.sandbox.url}/v1/refunds`, { method: 'POST', headers, body })
    const { id: refundId } = (await made.json()) as { id: string }
    assert.equal((await refund(id, { amountMinor: 3000 }, key)).body.data['refundId'], refundId)
    await faults([])
    const listed = await fetch(`${platform.sandbox.url}/v1/refunds?payment_intent=${intent}`, { headers })
    assert.equal(((await listed.json()) as { data: unknown[] }).data.length, 1)
  })
})

describe('a refund above what one person may give back alone', () => {
  let second: string
  let strict: Platform
  before(async () => {
    second = await tokenOf('cus_second', ['operator'])
    strict = await startPlatform({ env: { REFUND_ALONE_MAX_MINOR: '5000' } })
  })
  after(() => strict.stop())

  async function paidThere(): Promise<string> {
    const booking = strict.addBooking({ amountMinor: 10_000 })
    const { body } = await call(strict, 'POST', '/sessions', { body: { bookingId: booking.id } })
    await payAtSandbox(strict, body.data['sessionId'] ?? '')
    await eventually('the confirmation', () => strict.booking.toldOf(booking.id).length === 1)
    return booking.id
  }
  const ask = (
    id: string,
    body: Record<string, unknown>,
    { key, bearer = operator }: { key?: string; bearer?: string } = {},
  ): Promise<Answer> =>
    call(strict, 'POST', `/payments/${id}/refunds`, {
      body,
      bearer,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    })
  const answerOf = ({ status, body }: Answer): unknown[] => [status, body.error?.code]
  async function madeAtStripe(id: string): Promise<number[]> {
    const { rows } = await strict.pool.query<{ intent: string }>(
      'select payment_intent_id as intent from payments where booking_id = $1',
      [id],
    )
    const response = await fetch(`${strict.sandbox.url}/v1/refunds?payment_intent=${rows[0]?.intent}`, {
      headers: { authorization: 'Bearer sk_test_platform' },
    })
    const { data } = (await response.json()) as { data: { amount: number }[] }
    return data.map(({ amount }) => amount)
  }

  it('waits for a second person, is made once however many agree, and both stand in the audit log', async () => {
    const id = await paidThere()
    const key = randomUUID()
    for (let times = 0; times < 3; times += 1)
      assert.deepEqual(answerOf(await ask(id, { amountMinor: 6000 }, { key })), [409, 'APPROVAL_NEEDED'])
    assert.deepEqual(await madeAtStripe(id), [])
    const bearers = [second, SERVICE_TOKEN, operator]
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        ask(id, { amountMinor: 6000 }, { key, bearer: bearers[index % 3] ?? '' }),
      ),
    )
    assert.ok(answers.some(({ status }) => status === 200))
    assert.equal((await ask(id, { amountMinor: 6000 }, { key })).status, 200)
    assert.deepEqual(await madeAtStripe(id), [6000])
    const { rows } = await strict.pool.query<Record<string, unknown>>(
      "select action, actor = 'cus_operator' as by_who_asked, after->>'state' as state from audit_log where subject = $1 order by id",
      [id],
    )
    assert.deepEqual(rows, [
      { action: 'refund.requested', by_who_asked: true, state: 'waiting' },
      { action: 'refund.approved', by_who_asked: false, state: 'requested' },
    ])
  })

  it('is reserved while it waits, and lapses after a day', async () => {
    const id = await paidThere()
    const key = randomUUID()
    await ask(id, { amountMinor: 6000 }, { key })
    assert.deepEqual(answerOf(await ask(id, { amountMinor: 4001 }, { bearer: second })), [
      409,
      'INVALID_STATE',
    ])
    await strict.pool.query("update refund_requests set created_at = now() - interval '25 hours'")
    assert.deepEqual(answerOf(await ask(id, { amountMinor: 6000 }, { key, bearer: second })), [
      409,
      'INVALID_STATE',
    ])
    assert.equal((await ask(id, { amountMinor: 4001 }, { bearer: second })).status, 200)
    assert.deepEqual(await madeAtStripe(id), [4001])
  })

  it('is one request when it is sent again without a key, and names the key that lets it through', async () => {
    const id = await paidThere()
    const messages = new Set<string>()
    for (const bearer of [operator, operator, second]) {
      const answer = await ask(id, {}, { bearer })
      assert.deepEqual(answerOf(answer), [409, 'APPROVAL_NEEDED'])
      messages.add(answer.body.error.message)
    }
    assert.equal(messages.size, 1)
    const key = /Idempotency-Key: (\S+)$/.exec([...messages][0] ?? '')?.[1] ?? ''
    assert.equal((await ask(id, {}, { key, bearer: second })).status, 200)
    assert.deepEqual(await madeAtStripe(id), [10_000])
  })

  it('is not let through in slices, nor by agreeing to another amount', async () => {
    const id = await paidThere()
    const key = randomUUID()
    assert.equal((await ask(id, { amountMinor: 5000 })).status, 200)
    assert.deepEqual(answerOf(await ask(id, { amountMinor: 1 }, { key })), [409, 'APPROVAL_NEEDED'])
    assert.deepEqual(answerOf(await ask(id, { amountMinor: 2 }, { key, bearer: second })), [
      409,
      'IDEMPOTENCY_KEY_REUSED',
    ])
    assert.deepEqual(await madeAtStripe(id), [5000])
  })
})
