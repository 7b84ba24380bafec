// The load generator's own process: prepares whole payment lives, sends them, and is the booking service that is told.
import { setTimeout } from 'node:timers/promises'
import { renderLives } from '../lives/render-lives.ts'
import type { Lives, LivesOrder } from '../lives/render-lives.ts'
import { AMOUNT_MINOR } from '../lives/record-life.ts'
import { percentiles } from '../measure.ts'
import type { Percentiles } from '../measure.ts'
import { startBookingReceiver } from './booking-receiver.ts'
import { sendAll } from './send.ts'
import { openStreams } from './streams.ts'
import type { OpenStreams } from './streams.ts'
import type { Plan } from './send.ts'
import type { Answer, Question } from './client.ts'

let lives: Lives | null = null
let provedAt = new Float64Array(0)
let committedAt = new Float64Array(0)
let streams: OpenStreams | null = null
const receiver = await startBookingReceiver(AMOUNT_MINOR)

function prepare(order: LivesOrder): Answer {
  lives = renderLives(order)
  provedAt = new Float64Array(order.payments).fill(Infinity)
  committedAt = new Float64Array(order.payments).fill(Infinity)
  receiver.begin(order.payments)
  return { requests: lives.requests.length, kilobytesPerPayment: lives.bytes / order.payments / 1000 }
}

function prepareRequests(requests: readonly Uint8Array[]): Answer {
  lives = {
    requests: requests.map((request) => Buffer.from(request)),
    paymentOf: new Int32Array(requests.length),
    proves: new Uint8Array(requests.length),
    bytes: 0,
  }
  return {}
}

async function run(plan: Plan): Promise<Answer> {
  if (!lives) throw new Error('nothing is prepared')
  const { paymentOf, proves } = lives
  const cpuBefore = process.cpuUsage()
  const note = (moments: Float64Array, request: number, atMs: number): void => {
    const payment = paymentOf[request] ?? 0
    if (proves[request] === 1 && atMs < (moments[payment] ?? 0)) moments[payment] = atMs
  }
  const sent = await sendAll(lives, plan, {
    onSent: (request, dueMs) => note(provedAt, request, dueMs),
    onAnswered: (request, nowMs) => note(committedAt, request, nowMs),
  })
  const cpu = process.cpuUsage(cpuBefore)
  return {
    seconds: sent.seconds,
    answered: sent.latencies.length,
    refused: sent.refused,
    lost: sent.lost,
    latency: percentiles(sent.latencies),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    toldMeanwhile: receiver.confirmed(),
  }
}

/** Waits until every booking was told, or until nothing more comes. */
async function told(waitMs: number): Promise<Answer> {
  const startedMs = performance.now()
  const bookings = receiver.confirmedAt().length
  for (const end = startedMs + waitMs; receiver.confirmed() < bookings && performance.now() < end;)
    await setTimeout(5)
  const delays = Float64Array.from(receiver.confirmedAt(), (at, index) => at - (provedAt[index] ?? 0))
  return {
    bookings,
    confirmed: receiver.confirmed(),
    wrong: receiver.wrong(),
    repeated: receiver.repeated(),
    calls: receiver.calls(),
    waitedSeconds: (performance.now() - startedMs) / 1000,
    delay: percentiles(delays.filter((_, index) => (receiver.confirmedAt()[index] ?? 0) > 0)),
  }
}

function streamsHeard(): Answer {
  const at = streams?.succeededAt() ?? new Float64Array(0)
  streams?.close()
  const since = (moments: Float64Array): Percentiles =>
    percentiles(
      at.map((moment, index) => moment - (moments[index] ?? 0)).filter((_, index) => at[index] !== 0),
    )
  return {
    heard: at.filter((moment) => moment !== 0).length,
    delay: since(provedAt),
    afterAnswer: since(committedAt),
  }
}

async function answer(question: Question): Promise<Answer> {
  switch (question.ask) {
    case 'port':
      return { port: receiver.port }
    case 'prepare':
      return prepare(question.order)
    case 'requests':
      return prepareRequests(question.requests)
    case 'run':
      return run(question.plan)
    case 'told':
      return told(question.waitMs)
    case 'streams':
      streams = await openStreams(question.order)
      return { opened: streams.opened() }
    case 'heard':
      return streamsHeard()
    case 'forget':
      lives = null
      return {}
    default:
      return question satisfies never
  }
}

process.on('message', (question: Question) => {
  answer(question).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error instanceof Error ? error.stack : error) }),
  )
})
process.once('disconnect', () => process.exit(0))
process.send?.({ result: {} })
