import { parseArgs } from 'node:util'

/** How much of everything; the rest of the options says what. */
export type Sizes = {
  /** About how long one system is under load in one round. */
  readonly seconds: number
  /** Payments that make the code hot before anything counts. */
  readonly warmUp: number
  /** A round has at least so many, however slow the system is. */
  readonly paymentsMin: number
  /** Rounds of our gateway under every load: nothing is divided by anything there. */
  readonly loadRounds: number
  /** Paid payments that browsers ask about. */
  readonly paid: number
  /** Open status streams, and how long their memory is left to settle. */
  readonly streams: number
  readonly streamsSettleMs: number
  /** Stored events to drain. */
  readonly backlog: number
  /** Payments whose events are sent a second time, and those an operator replays. */
  readonly sentAgain: number
  readonly replayed: number
  /** Events over which memory is watched, and in how many steps. */
  readonly memoryEvents: number
  readonly memorySteps: number
  /** Payments in the tables of the two gateways that are compared: few, many. */
  readonly growth: readonly [number, number]
}

export type BenchOptions = Sizes & {
  readonly quick: boolean
  /** Rounds in which every system is measured side by side; what is printed are medians over them. */
  readonly rounds: number
  readonly connections: number
  /** Groups of rows to run; empty: all. */
  readonly only: readonly string[]
  /** Parts of the names of the systems to measure; empty: all. */
  readonly systems: readonly string[]
  /** A folder that keeps PostgreSQL and the seeded tables for a later run; empty: thrown away. */
  readonly data: string
  readonly json: string
  /** A folder for CPU profiles of the gateway; empty: none. */
  readonly profile: string
}

export const GROUPS = ['webhooks', 'load', 'api', 'streams', 'backlog', 'growth', 'memory'] as const

const WHOLE = {
  seconds: 4,
  warmUp: 1200,
  paymentsMin: 100,
  paid: 500,
  streams: 5000,
  streamsSettleMs: 3000,
  backlog: 200_000,
  sentAgain: 20_000,
  replayed: 4000,
  memoryEvents: 1_000_000,
  memorySteps: 20,
  growth: [100_000, 5_000_000],
} as const
// Every row in under two minutes on two cores: enough to see that all is right and about how fast, judged by no goal.
const QUICK = {
  seconds: 0.5,
  warmUp: 150,
  paymentsMin: 30,
  paid: 200,
  streams: 300,
  streamsSettleMs: 1000,
  backlog: 2000,
  sentAgain: 300,
  replayed: 300,
  memoryEvents: 4000,
  memorySteps: 10,
  growth: [1000, 10_000],
} as const

const USAGE = `usage: npm run bench -- [--quick] [--only ${GROUPS.join(',')}] [--rounds 5] [--seconds 4]
                        [--connections 128] [--systems gateway,HMAC] [--backlog 200000] [--memory-events 1000000]
                        [--growth 100000,5000000] [--data folder] [--json .data/bench.json] [--profile folder]`

export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      only: { type: 'string', default: '' },
      systems: { type: 'string', default: '' },
      backlog: { type: 'string' },
      'memory-events': { type: 'string' },
      growth: { type: 'string' },
      data: { type: 'string', default: '' },
      json: { type: 'string', default: '.data/bench.json' },
      profile: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  })
  const { quick } = values
  const number = (text: string | number | undefined, fallback: number): number => {
    const value = text === undefined ? fallback : Number(text)
    if (!Number.isFinite(value) || value <= 0) throw new Error(`${text} is no number above 0.\n${USAGE}`)
    return value
  }
  const sizes = quick ? QUICK : WHOLE
  const rounds = number(values.rounds, 5)
  const [few = '', many = '', ...more] = values.growth === undefined ? sizes.growth : values.growth.split(',')
  if (more.length > 0) throw new Error(USAGE)
  const only = values.only.split(',').filter(Boolean)
  const unknown = only.filter((group) => !GROUPS.some((known) => known === group))
  if (values.help || unknown.length > 0) throw new Error(USAGE)
  return {
    ...sizes,
    quick,
    only,
    systems: values.systems.split(',').filter(Boolean),
    rounds,
    loadRounds: quick ? 1 : rounds,
    seconds: number(values.seconds, sizes.seconds),
    connections: number(values.connections, 128),
    backlog: number(values.backlog, sizes.backlog),
    memoryEvents: number(values['memory-events'], sizes.memoryEvents),
    growth: [number(few, 0), number(many, 0)],
    data: values.data,
    json: values.json,
    profile: values.profile,
  }
}
