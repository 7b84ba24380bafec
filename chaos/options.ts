// What can be asked of a campaign on the command line.
import { parseArgs } from 'node:util'

export type CampaignOptions = {
  readonly payments: number
  readonly seed: number
  /** How many payments are on their way at once. */
  readonly payers: number
  /** The mean pause between two strikes. */
  readonly gapMs: number
  /** How long everything has to come right after the last fault. */
  readonly healMsMax: number
  /** The name of a planted bug, or null for the real gateway. */
  readonly plant: string | null
  /** Healing at the gateway's own intervals instead of shortened ones. */
  readonly slowHealing: boolean
  /** The booking service is told of refused payments and open disputes too. */
  readonly extended: boolean
  /** The commit whose code one of the gateways runs, as in a rolling upgrade from it; null: all run this one's. */
  readonly upgradeFrom: string | null
  /** Where the history of a run that failed is written. */
  readonly into: string
}

export class UsageError extends Error {
  override name = 'UsageError'
}

export const USAGE = `npm run chaos -- [options]
  --payments <n>    how many payments live their lives (1000)
  --seed <n>        decides the lives, the strikes and the faults (a new one each time)
  --payers <n>      how many are on their way at once (24)
  --gap <ms>        the mean pause between two strikes (900)
  --heal <s>        how long everything has to come right after the last fault (120)
  --slow-healing    the gateway's own sweep and reconciliation intervals (60 s and 30 s) instead of 3 s each
  --plant <bug>     runs a broken copy of the gateway, which must be caught; several by commas, \`all\`, or \`list\`
  --extended        with BOOKING_STATUS_EXTENDED=on: refused payments and open disputes are told too
  --upgrade-from <commit>  one of the gateways runs the code of this earlier commit: two versions on one database
  --into <folder>   where the history of a failed run goes (.data/chaos)`

export function readOptions(args: readonly string[]): CampaignOptions {
  const { values } = parse(args)
  const whole = (name: string, value: string | undefined, fallback: number): number => {
    const number = value === undefined ? fallback : Number(value)
    if (!Number.isSafeInteger(number) || number < 1)
      throw new UsageError(`--${name} must be a whole number above 0.`)
    return number
  }
  return {
    payments: whole('payments', values.payments, 1000),
    seed: whole('seed', values.seed, (Date.now() % 1_000_000) + 1),
    payers: whole('payers', values.payers, 24),
    gapMs: whole('gap', values.gap, 900),
    healMsMax: whole('heal', values.heal, 120) * 1000,
    plant: values.plant ?? null,
    slowHealing: values['slow-healing'] ?? false,
    extended: values.extended ?? false,
    upgradeFrom: values['upgrade-from'] ?? null,
    into: values.into ?? '.data/chaos',
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        payments: text,
        seed: text,
        payers: text,
        gap: text,
        heal: text,
        plant: text,
        into: text,
        'slow-healing': { type: 'boolean' },
        extended: { type: 'boolean' },
        'upgrade-from': text,
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** The command that runs the same campaign again. */
export function commandOf(options: CampaignOptions): string {
  const parts = [
    `--payments ${options.payments}`,
    `--seed ${options.seed}`,
    `--payers ${options.payers}`,
    `--gap ${options.gapMs}`,
    ...(options.slowHealing ? ['--slow-healing'] : []),
    ...(options.extended ? ['--extended'] : []),
    ...(options.upgradeFrom === null ? [] : [`--upgrade-from ${options.upgradeFrom}`]),
    ...(options.plant === null ? [] : [`--plant ${options.plant}`]),
  ]
  return `npm run chaos -- ${parts.join(' ')}`
}
