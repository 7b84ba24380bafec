// After an outage: events that were stored without their effect are applied, announcements that could not be delivered are,
// a whole day is sent a second time by Stripe, and replayed by an operator.
import { setTimeout } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Bench } from '../bench.ts'
import type { BenchOptions } from '../options.ts'
import { show, voidOf } from '../report.ts'
import type { Row, Section } from '../report.ts'
import { renderLives } from '../lives/render-lives.ts'
import { seedPayments } from '../lives/seed-payments.ts'
import { checkGateway } from '../systems/gateway.ts'
import type { GatewaySystem } from '../systems/gateway.ts'
import { WEBHOOK_PATH, WEBHOOK_SECRET } from '../systems/system.ts'
import { measureWebhooks, settled } from './measure-webhooks.ts'
import { replayDay } from './replay-rows.ts'
import { startGateway } from './start-gateway.ts'

const STORED_PER_STATEMENT = 500
const DRAIN_MS_MAX = 1_200_000

export async function backlogRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const gateway = await startGateway(bench, 'gateway_backlog')
  try {
    const drained = await drain(bench, gateway.pool, options.backlog)
    const sent = await sentAgain(bench, gateway, options)
    const replayed = await replayDay(bench, gateway, options.replayed)
    return {
      title: 'After an outage',
      note: '  Drained: from the moment at which the worker is woken to every effect and every announcement there.',
      rows: [drained.row, sent.row, ...replayed.rows],
      raw: { drained: drained.raw, sentAgain: sent.raw, replayed: replayed.raw },
    }
  } finally {
    await gateway.stop()
  }
}

type Measured = { readonly row: Row; readonly raw: unknown }

/** Events stored as owed, as the inbox leaves them when a batch could not be applied. */
async function drain(bench: Bench, pool: Pool, events: number): Promise<Measured> {
  const tag = bench.nextTag()
  const payments = Math.ceil(events / bench.life.length)
  await seedPayments(pool, tag, payments)
  await bench.load.prepare({
    life: bench.life,
    tag,
    payments,
    duplicates: 0,
    secret: WEBHOOK_SECRET,
    path: WEBHOOK_PATH,
  })
  await storeOwed(bench, pool, tag, payments)
  const startedMs = performance.now()
  await pool.query("update stripe_events set retry_at = now() where status = 'received'")
  await pool.query("select pg_notify('payment_gateway_events', '')")
  const owed = async (): Promise<number> => {
    const { rows } = await pool.query<{ owed: number }>(
      "select count(*)::int as owed from stripe_events where status = 'received'",
    )
    return rows[0]?.owed ?? 0
  }
  while ((await owed()) > 0 && performance.now() - startedMs < DRAIN_MS_MAX) await setTimeout(50)
  const appliedSeconds = (performance.now() - startedMs) / 1000
  const told = await bench.load.told(DRAIN_MS_MAX)
  const seconds = (performance.now() - startedMs) / 1000
  const problems = [
    ...(await settled(() => checkGateway(pool, tag, payments))),
    ...(told.confirmed === told.bookings
      ? []
      : [`${told.bookings - told.confirmed} bookings were never told`]),
    ...(told.wrong === 0 ? [] : [`${told.wrong} times something wrong was told`]),
    ...(told.repeated === 0 ? [] : [`${told.repeated} bookings were confirmed again`]),
  ]
  return {
    row: {
      name: `${show(payments * bench.life.length)} stored events drained`,
      cells: {
        'events/s': show((payments * bench.life.length) / appliedSeconds),
        'until applied s': show(appliedSeconds),
        'until told s': show(seconds),
        payments: voidOf(problems),
      },
    },
    raw: { events: payments * bench.life.length, appliedSeconds, seconds, problems },
  }
}

/** Stores whole lives as owed and not yet due, so that nothing is drained before the clock runs. */
async function storeOwed(bench: Bench, pool: Pool, tag: string, payments: number): Promise<void> {
  const { requests } = renderLives({
    life: bench.life,
    tag,
    payments,
    duplicates: 0,
    secret: WEBHOOK_SECRET,
    path: WEBHOOK_PATH,
  })
  for (let at = 0; at < requests.length; at += STORED_PER_STATEMENT) {
    const bodies = requests.slice(at, at + STORED_PER_STATEMENT).map((request) => {
      const body = request.subarray(request.indexOf('\r\n\r\n') + 4)
      return { body, event: JSON.parse(body.toString()) as { id: string; type: string; api_version: string } }
    })
    await pool.query(
      `insert into stripe_events (id, type, api_version, livemode, payload, status, created_at, retry_at)
       select id, type, version, false, decode(payload, 'base64'), 'received', now(), now() + interval '1 day'
       from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n(id, type, version, payload)`,
      [
        bodies.map(({ event }) => event.id),
        bodies.map(({ event }) => event.type),
        bodies.map(({ event }) => event.api_version),
        bodies.map(({ body }) => body.toString('base64')),
      ],
    )
  }
}

/** Every event once more, as `stripe events resend` of a day does: all are known, nothing may change. */
async function sentAgain(bench: Bench, gateway: GatewaySystem, options: BenchOptions): Promise<Measured> {
  const load = {
    payments: options.sentAgain,
    connections: options.connections,
    model: { kind: 'closed' },
  } as const
  const first = await measureWebhooks(bench, gateway, { ...load, sends: 2 })
  return {
    row: {
      name: `${show(first.events)} events sent again`,
      cells: {
        'events/s': show(first.again?.eventsPerSecond ?? Number.NaN),
        'p99 ms': show(first.again?.latency.p99 ?? Number.NaN),
        payments: voidOf(first.problems),
      },
    },
    raw: first,
  }
}
