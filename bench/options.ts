import { parseArgs } from 'node:util'

export type BenchOptions = {
  readonly quick: boolean
  /** Rounds in which every system is measured side by side; what is printed are medians over them. */
  readonly rounds: number
  /** About how long one system is under load in one round. */
  readonly seconds: number
  readonly connections: number
  /** Groups of rows to run; empty: all. */
  readonly only: readonly string[]
  /** Parts of the names of the systems to measure; empty: all. */
  readonly systems: readonly string[]
  /** Stored events to drain. */
  readonly backlog: number
  /** Events over which memory is watched. */
  readonly memoryEvents: number
  /** Payments in the tables of the two gateways that are compared: few, many. */
  readonly growth: readonly [number, number]
  /** A folder that keeps PostgreSQL and the seeded tables for a later run; empty: thrown away. */
  readonly data: string
  readonly json: string
  /** A folder for CPU profiles of the gateway; empty: none. */
  readonly profile: string
}

export const GROUPS = ['webhooks', 'load', 'api', 'streams', 'backlog', 'growth', 'memory'] as const

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
  const number = (text: string | undefined, fallback: number): number => {
    const value = text === undefined ? fallback : Number(text)
    if (!Number.isFinite(value) || value <= 0) throw new Error(`${text} is no number above 0.\n${USAGE}`)
    return value
  }
  const [few = '', many = '', ...more] = (values.growth ?? (quick ? '1000,20000' : '100000,5000000')).split(
    ',',
  )
  if (more.length > 0) throw new Error(USAGE)
  const only = values.only.split(',').filter(Boolean)
  const unknown = only.filter((group) => !GROUPS.some((known) => known === group))
  if (values.help || unknown.length > 0) throw new Error(USAGE)
  return {
    quick,
    only,
    systems: values.systems.split(',').filter(Boolean),
    rounds: number(values.rounds, 5),
    seconds: number(values.seconds, quick ? 0.7 : 4),
    connections: number(values.connections, 128),
    backlog: number(values.backlog, 200_000),
    memoryEvents: number(values['memory-events'], 1_000_000),
    growth: [number(few, 0), number(many, 0)],
    data: values.data,
    json: values.json,
    profile: values.profile,
  }
}
