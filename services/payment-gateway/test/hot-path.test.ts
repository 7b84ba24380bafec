// Every statement of a hot path must be answered along an index, however large the tables become. The statements are
// those that really ran: taken from the driver while a payment is made, paid, told and looked at.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ALONG_INDEXES, createPool } from '@passerelle/kit/database'
import type { Pool } from '@passerelle/kit/database'
import { createLog } from '@passerelle/kit/log'
import pg from 'pg'
import { SCHEMA } from '../src/app.ts'
import { call, deliver, eventually, payAtSandbox, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

const LARGE = new Set([
  'payments',
  'payment_attempts',
  'payment_transitions',
  'stripe_events',
  'stripe_objects',
  'deliveries',
  'delivery_attempts',
  'ledger_entries',
  'status_tokens',
  'fees_due',
  'incidents',
])

type Plan = {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly Plan[]
}

let platform: Platform
let planner: Pool
const statements = new Map<string, string>()
const query: unknown = Reflect.get(pg.Client.prototype, 'query')

before(async () => {
  // Looks on: every statement goes to the server as it would without it.
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    // A statement of its own, or those of one round trip.
    type Asked = { name?: string; text?: string; statements?: readonly Asked[] }
    const asked = (args[0] ?? {}) as Asked
    for (const { name, text } of asked.statements ?? [asked])
      if (name !== undefined && text !== undefined && !/^(?:begin|commit)$/.test(text))
        statements.set(name, text)
    return Reflect.apply(query as () => unknown, this, args)
  }
  Reflect.set(pg.Client.prototype, 'query', watched)
  platform = await startPlatform()
  await makePayments(3)
  await fillTables(4000)
  planner = createPool({
    url: platform.database.url,
    schema: SCHEMA,
    applicationName: 'planner',
    connectionsMax: 1,
    log: createLog({ name: 'test', level: 'silent' }),
    settings: ALONG_INDEXES,
  })
})
after(async () => {
  Reflect.set(pg.Client.prototype, 'query', query)
  await planner.end()
  await platform.stop()
})

/** Payments that were paid, told, and asked for by their payers. */
async function makePayments(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const { id: bookingId } = platform.addBooking()
    const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId } })
    const sessionId = body.data['sessionId'] ?? ''
    await call(platform, 'GET', `/payments/${bookingId}/status`)
    await payAtSandbox(platform, sessionId)
    await eventually('the confirmation', () => platform.booking.toldOf(bookingId).length > 0)
    await call(platform, 'GET', `/sessions/${sessionId}/verify`)
  }
  const { rows } = await platform.pool.query<{ payload: Buffer }>('select payload from stripe_events limit 3')
  for (const { payload } of rows) await deliver(platform, payload)
  await eventually('every delivery to be recorded', async () => {
    const { rowCount } = await platform.pool.query("select from deliveries where status = 'pending'")
    return rowCount === 0
  })
}

/** Payments of the past, and some work left over: the planner decides by what is there. */
async function fillTables(count: number): Promise<void> {
  const series = `generate_series(1, ${count}) as n`
  for (const statement of [
    `insert into payments (id, booking_id, livemode, amount_minor, currency, status, captured_minor)
     select 'pay_past_' || n, 'bkg_past_' || n, false, 1, 'eur', 'succeeded', 1 from ${series}`,
    `insert into payment_attempts (id, payment_id, number, kind, state, amount_minor, currency, parameters, session_id, payment_intent_id)
     select 'att_past_' || n, 'pay_past_' || n, 1, 'checkout_session', 'closed', 1, 'eur', '{}', 'cs_past_' || n, 'pi_past_' || n from ${series}`,
    `insert into stripe_objects (id, payment_id) select 'pi_past_' || n, 'pay_past_' || n from ${series}`,
    `insert into payment_transitions (payment_id, version, from_status, to_status, because)
     select 'pay_past_' || n, 1, 'pending', 'succeeded', 'evt' from ${series}`,
    `insert into stripe_events (id, type, livemode, payload, status, retry_at, created_at, received_at)
     select 'evt_past_' || n, 't', false, '{}', case when n % 20 = 0 then 'received' else 'processed' end,
            case when n % 20 = 0 then now() + interval '1 day' end, now(), now() - n * interval '1 minute' from ${series}`,
    `insert into deliveries (id, payment_id, booking_id, version, body, status, due_at)
     select 'dlv_past_' || n, 'pay_past_' || n, 'bkg_past_' || n, 1, '{}',
            case when n % 20 = 0 then 'pending' else 'delivered' end, now() + interval '1 day' from ${series}`,
    `insert into delivery_attempts (delivery_id, number, outcome, duration_ms)
     select 'dlv_past_' || n, 1, 'delivered', 1 from ${series}`,
    `insert into ledger_entries (posting, payment_id, account, amount_minor, currency)
     select 'past ' || n, 'pay_past_' || n, account, amount, 'eur'
     from ${series}, (values ('stripe_balance', 1), ('customer_funds', -1)) as e(account, amount)`,
    `insert into fees_due (charge_id, payment_id, balance_transaction_id, retry_at)
     select 'ch_past_' || n, 'pay_past_' || n, 'txn', now() + interval '1 day' from ${series}`,
    'analyze',
  ])
    await platform.pool.query(statement)
}

/** Reads of large tables that no index narrows. */
function wideReads(plan: Plan): string[] {
  const { 'Relation Name': table, 'Node Type': kind } = plan
  // A bitmap's heap part has its condition in the index part below it.
  const isWide =
    table !== undefined &&
    LARGE.has(table) &&
    kind.endsWith('Scan') &&
    kind !== 'Bitmap Heap Scan' &&
    plan['Index Cond'] === undefined
  return [...(isWide ? [`${kind} on ${table}`] : []), ...(plan.Plans ?? []).flatMap(wideReads)]
}

// The first entry of an index that is in the order asked for.
// Works in the background, a batch an hour; nobody waits for it.
const NOT_HOT = new Set(['redact_events'])
const FIRST_ENTRY_ONLY = new Set(['next_fee_due', 'next_owed_event', 'next_delivery_due'])

describe('the statements of the hot paths', () => {
  it('are those that this test knows', () => {
    for (const name of [
      'find_links',
      'lock_payments_of',
      'lock_waiting_events',
      'find_stored_events',
      'insert_events',
      'save_payments',
      'link_objects',
      'close_ended_attempts',
      'claim_deliveries',
      'record_delivery_attempts',
      'find_payment_by_booking',
      'find_attempt_by_session',
    ])
      assert.ok(statements.has(name), `${name} did not run: ${[...statements.keys()].join(' ')}`)
  })

  it('read large tables along an index and nowhere else', async () => {
    const wide: string[] = []
    for (const [name, text] of statements) {
      const { rows } = await planner.query<{ 'QUERY PLAN': readonly { Plan: Plan }[] }>(
        `explain (generic_plan, format json) ${text}`,
      )
      const reads = rows.flatMap((row) => row['QUERY PLAN']).flatMap(({ Plan: plan }) => wideReads(plan))
      if (!FIRST_ENTRY_ONLY.has(name) && !NOT_HOT.has(name))
        wide.push(...reads.map((read) => `${name}: ${read}`))
    }
    assert.deepEqual(wide, [])
  })

  it('are found out when an index is missing', async () => {
    await planner.query('begin; drop index stripe_events_waiting')
    const { rows } = await planner.query<{ 'QUERY PLAN': readonly { Plan: Plan }[] }>(
      `explain (generic_plan, format json) ${statements.get('lock_waiting_events')}`,
    )
    await planner.query('rollback')
    const reads = rows.flatMap((row) => row['QUERY PLAN']).flatMap(({ Plan: plan }) => wideReads(plan))
    assert.ok(reads.length > 0)
  })
})
