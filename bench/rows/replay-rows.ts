// An operator replays everything of a day through the admin API: all of it is known, so nothing may change.
import { setTimeout } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Bench } from '../bench.ts'
import { show, voidOf } from '../report.ts'
import type { Row } from '../report.ts'
import { checkGateway, SERVICE_TOKEN } from '../systems/gateway.ts'
import type { GatewaySystem } from '../systems/gateway.ts'
import { measureWebhooks } from './measure-webhooks.ts'

const EVENTS_PER_REQUEST = 500
const APPLIED_MS_MAX = 300_000

type Window = { readonly since: string; readonly until: string; readonly events: number }

/** Some ten thousand stored events: first which they would be, then once more, until all are applied again. */
export async function replayDay(
  bench: Bench,
  gateway: GatewaySystem,
  payments: number,
): Promise<{ readonly rows: readonly Row[]; readonly raw: unknown }> {
  const { pool } = gateway
  const { rows: clock } = await pool.query<{ now: Date }>('select now()')
  const day = await measureWebhooks(bench, gateway, { payments, connections: 128, model: { kind: 'closed' } })
  const windows = await windowsSince(pool, clock[0]?.now ?? new Date())
  const events = windows.reduce((sum, window) => sum + window.events, 0)
  const before = await stateOf(pool, day.tag)
  const dry = await ask(gateway, windows, true)
  const afterDry = await stateOf(pool, day.tag)
  const real = await ask(gateway, windows, false)
  const appliedSeconds = real.seconds + (await untilApplied(pool))
  const problems = [
    ...day.problems,
    ...(dry.selected === events && real.selected === events
      ? []
      : [`${dry.selected} and ${real.selected} of ${events} events were selected`]),
    ...(afterDry === before ? [] : ['a dry run changed something']),
    ...((await stateOf(pool, day.tag)) === before ? [] : ['a replay changed a payment']),
    ...(await checkGateway(pool, day.tag, payments)),
  ]
  const row = (name: string, seconds: number): Row => ({
    name,
    cells: {
      'events/s': show(events / seconds),
      'until applied s': show(seconds),
      payments: voidOf(problems),
    },
  })
  return {
    rows: [
      row(`${show(events)} events, replay as a dry run`, dry.seconds),
      row(`${show(events)} events replayed`, appliedSeconds),
    ],
    raw: { events, requests: windows.length, dry, real, appliedSeconds, problems },
  }
}

/** The day in pieces of at most as many events as one request replays; events of one commit share their moment. */
async function windowsSince(pool: Pool, since: Date): Promise<readonly Window[]> {
  const { rows } = await pool.query<{ moment: Date; events: number }>(
    `select date_trunc('milliseconds', received_at) as moment, count(*)::int as events from stripe_events
     where received_at >= $1 group by 1 order by 1`,
    [since],
  )
  const windows: Window[] = []
  let from = since
  let events = 0
  for (const { moment, events: more } of rows) {
    if (events > 0 && events + more > EVENTS_PER_REQUEST) {
      windows.push({ since: from.toISOString(), until: moment.toISOString(), events })
      from = moment
      events = 0
    }
    events += more
  }
  const last = rows.at(-1)?.moment
  if (last)
    windows.push({ since: from.toISOString(), until: new Date(Number(last) + 1).toISOString(), events })
  return windows
}

type Asked = { readonly seconds: number; readonly selected: number }

async function ask(gateway: GatewaySystem, windows: readonly Window[], dryRun: boolean): Promise<Asked> {
  let selected = 0
  const startedMs = performance.now()
  for (const { since, until } of windows) {
    const answer = await fetch(
      `http://127.0.0.1:${gateway.ports[0]}/api/v1/payment-gateway/admin/events/replay`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${SERVICE_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ since, until, dryRun, limit: EVENTS_PER_REQUEST, reason: 'bench' }),
      },
    )
    if (!answer.ok) throw new Error(`a replay was answered ${answer.status}: ${await answer.text()}`)
    const { data } = (await answer.json()) as { data: { selected: number } }
    selected += data.selected
  }
  return { seconds: (performance.now() - startedMs) / 1000, selected }
}

/** Seconds until no event is owed. */
async function untilApplied(pool: Pool): Promise<number> {
  const startedMs = performance.now()
  for (const end = startedMs + APPLIED_MS_MAX; performance.now() < end; await setTimeout(20)) {
    const { rows } = await pool.query("select from stripe_events where status = 'received' limit 1")
    if (rows.length === 0) return (performance.now() - startedMs) / 1000
  }
  throw new Error('the replayed events were never applied')
}

/** Everything a replay must leave as it is, as one text; but for fees, which are still being asked for meanwhile. */
async function stateOf(pool: Pool, tag: string): Promise<string> {
  const { rows } = await pool.query(
    `with mine as (select * from payments where id >= $1 and id < $2)
     select (select md5(string_agg(concat_ws('|', id, status, captured_minor, known - 'charges', announced, announced_version), ',' order by id))
               from mine) as payments,
       (select count(*)::int from payment_transitions t join mine on mine.id = t.payment_id) as transitions,
       (select count(*)::int from deliveries d join mine on mine.id = d.payment_id) as deliveries,
       (select concat(count(*), '|', sum(l.amount_minor) filter (where account = 'stripe_balance'))
          from ledger_entries l join mine on mine.id = l.payment_id where posting like 'capture %') as ledger,
       (select count(*)::int from stripe_objects o join mine on mine.id = o.payment_id) as objects`,
    [`pay_${tag}`, `pay_${tag}~`],
  )
  return JSON.stringify(rows)
}
