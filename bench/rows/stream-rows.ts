// Open status streams: what each costs in memory, and how soon it tells of a payment.
import { SignJWT } from 'jose'
import { setTimeout } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { bookingId } from '../lives/ids.ts'
import { seedPayments } from '../lives/seed-payments.ts'
import { memoryMb } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { show, voidOf } from '../report.ts'
import type { Section } from '../report.ts'
import { checkGateway, JWT_SECRET } from '../systems/gateway.ts'
import { WEBHOOK_PATH, WEBHOOK_SECRET } from '../systems/system.ts'
import { settled } from './measure-webhooks.ts'
import { startGateway } from './start-gateway.ts'

const EVENTS_PER_SECOND = 500
/** Pages that never read: what is told them must not pile up, nor keep others waiting. */
const DEAF_SHARE = 0.02
const TOLD_MS_MAX = 30_000

export async function streamRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const { streams } = options
  const deaf = Math.round(streams * DEAF_SHARE)
  const gateway = await startGateway(bench, 'gateway_streams')
  try {
    const tag = bench.nextTag()
    await seedPayments(gateway.pool, tag, streams)
    const { load } = bench
    await load.prepare({
      life: bench.life,
      tag,
      payments: streams,
      duplicates: 0,
      secret: WEBHOOK_SECRET,
      path: WEBHOOK_PATH,
    })
    const before = memoryMb(gateway.pids)
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('cus_bench')
      .setExpirationTime('6h')
      .sign(new TextEncoder().encode(JWT_SECRET))
    const paths = Array.from(
      { length: streams },
      (_, index) => `/api/v1/payment-gateway/payments/${bookingId(tag, index)}/stream`,
    )
    const openingMs = performance.now()
    const opened = await load.openStreams({
      port: gateway.ports[0] ?? 0,
      paths,
      headers: { authorization: `Bearer ${token}` },
      deaf,
    })
    const openedSeconds = (performance.now() - openingMs) / 1000
    await setTimeout(options.streamsSettleMs)
    const openMb = memoryMb(gateway.pids)
    const kilobytes = ((openMb - before) * 1024) / streams
    const run = await load.run({
      ports: gateway.ports,
      connections: 64,
      model: { kind: 'open', perSecond: EVENTS_PER_SECOND },
    })
    await load.told(TOLD_MS_MAX)
    const afterMb = memoryMb(gateway.pids)
    const heard = await load.streamsHeard()
    const problems = [
      ...(opened.opened === streams ? [] : [`${opened.opened} of ${streams} streams opened`]),
      ...(heard.heard === streams - deaf
        ? []
        : [`${streams - deaf - heard.heard} streams never told of their payment`]),
      ...(await settled(() => checkGateway(gateway.pool, tag, streams))),
    ]
    return {
      title: `${show(streams)} open status streams, ${deaf} of which never read`,
      note: `  Told: from when the proving event was due to the stream having told, at ${EVENTS_PER_SECOND} events/s.`,
      rows: [
        {
          name: 'streams',
          cells: {
            'opened s': show(openedSeconds),
            'MB before': show(before),
            open: show(openMb),
            after: show(afterMb),
            'kB each': show(kilobytes),
            'told p50 ms': show(heard.delay.p50),
            p99: show(heard.delay.p99),
            max: show(heard.delay.max),
            'after the 2xx p50 ms': show(heard.afterAnswer.p50),
            'after the 2xx p99': show(heard.afterAnswer.p99),
            'webhook p50 ms': show(run.latency.p50),
            'webhook p99': show(run.latency.p99),
            payments: voidOf(problems),
          },
        },
      ],
      figures: {
        streamMemory: { value: kilobytes, isVoid: problems.length > 0 },
        streamP99: { value: heard.afterAnswer.p99, isVoid: problems.length > 0 },
      },
      raw: { streams, deaf, openedSeconds, before, openMb, afterMb, kilobytes, heard, run, problems },
    }
  } finally {
    await gateway.stop()
  }
}
