import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LivesOrder } from '../lives/render-lives.ts'
import type { Percentiles } from '../measure.ts'
import type { Plan } from './send.ts'
import type { StreamsOrder } from './streams.ts'

/** The load generator as the bench sees it: a process of its own that is asked one thing at a time. */
export type Load = {
  readonly pid: number
  readonly bookingPort: number
  readonly prepare: (order: LivesOrder) => Promise<{ requests: number; kilobytesPerPayment: number }>
  /** Any requests instead of lives, sent by the next `run`. */
  readonly prepareRequests: (requests: readonly Buffer[]) => Promise<void>
  readonly run: (plan: Plan) => Promise<LoadRun>
  readonly openStreams: (order: StreamsOrder) => Promise<{ readonly opened: number }>
  /** How many streams told of their payment, and how long after its proving event was due, and answered; closes them. */
  readonly streamsHeard: () => Promise<StreamsHeard>
  readonly told: (waitMs: number) => Promise<LoadTold>
  readonly forget: () => Promise<void>
  readonly stop: () => void
}

export type StreamsHeard = {
  readonly heard: number
  readonly delay: Percentiles
  /** An answer follows the commit at once, so that this is from the commit; below 0 where the stream was sooner. */
  readonly afterAnswer: Percentiles
}

export type LoadRun = {
  readonly seconds: number
  readonly answered: number
  readonly refused: Readonly<Record<string, number>>
  readonly lost: number
  readonly latency: Percentiles
  readonly cpuSeconds: number
  /** Bookings told by the moment of the last answer. */
  readonly toldMeanwhile: number
}

export type LoadTold = {
  readonly bookings: number
  readonly confirmed: number
  readonly wrong: number
  readonly repeated: number
  readonly calls: number
  readonly waitedSeconds: number
  /** From the moment at which the first proving event was due to the booking service having heard. */
  readonly delay: Percentiles
}

export type Question =
  | { readonly ask: 'port' }
  | { readonly ask: 'prepare'; readonly order: LivesOrder }
  | { readonly ask: 'requests'; readonly requests: readonly Uint8Array[] }
  | { readonly ask: 'run'; readonly plan: Plan }
  | { readonly ask: 'told'; readonly waitMs: number }
  | { readonly ask: 'streams'; readonly order: StreamsOrder }
  | { readonly ask: 'heard' }
  | { readonly ask: 'forget' }

export type Answer = Readonly<Record<string, unknown>>

export async function startLoad(): Promise<Load> {
  const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)), {
    serialization: 'advanced',
    execArgv: ['--max-old-space-size=8192'],
  })
  await answerOf(child)
  const ask = async <T>(question: Question): Promise<T> => {
    child.send(question)
    return (await answerOf(child)) as T
  }
  const { port } = await ask<{ port: number }>({ ask: 'port' })
  return {
    pid: child.pid ?? 0,
    bookingPort: port,
    prepare: (order) => ask({ ask: 'prepare', order }),
    prepareRequests: async (requests) => void (await ask({ ask: 'requests', requests })),
    run: (plan) => ask({ ask: 'run', plan }),
    told: (waitMs) => ask({ ask: 'told', waitMs }),
    openStreams: (order) => ask({ ask: 'streams', order }),
    streamsHeard: () => ask({ ask: 'heard' }),
    forget: async () => void (await ask({ ask: 'forget' })),
    stop: () => child.disconnect(),
  }
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the load generator ended (${code})`))
    child.once('exit', onExit)
    child.once('message', (message: { result?: unknown; error?: string }) => {
      child.off('exit', onExit)
      if (message.error === undefined) resolve(message.result)
      else reject(new Error(message.error))
    })
  })
}
