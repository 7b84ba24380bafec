// What a campaign will do, decided by its seed before anything starts.
import { createRandom } from './random.ts'

/** The lives a payment may lead, each as often as its weight says. */
export const LIFE_WEIGHTS = {
  paid: 14,
  paid_by_intent: 4,
  declined_then_paid: 6,
  secured: 4,
  secured_refused_then_paid: 4,
  debit: 5,
  debit_fails: 4,
  abandoned: 3,
  expired: 4,
  cancelled: 4,
  cancelled_while_paying: 3,
  replaced_while_paying: 3,
  refunded_in_part: 5,
  refunded_whole: 5,
  refunded_in_parts: 4,
  refund_sent_twice: 4,
  refunds_race: 4,
  refund_fails_late: 4,
  refund_takes_time: 3,
  refunded_in_dashboard: 4,
  dispute_won: 3,
  dispute_lost: 3,
  dispute_open: 2,
  inquiry_closed: 2,
  inquiry_escalates: 3,
  warned_of_fraud: 2,
  paid_elsewhere: 3,
  paid_twice: 4,
  paid_too_little: 2,
} as const
export type Life = keyof typeof LIFE_WEIGHTS

/** Without two decimals on purpose, two of them. */
export const TOURS = [
  'mont-saint-michel-at-high-tide',
  'kyoto-temples-and-tea',
  'kuwait-bay-by-dhow',
] as const
const EURO_TOUR = TOURS[0]

export type PlannedPayment = {
  readonly number: number
  readonly life: Life
  readonly customer: string
  readonly tour: (typeof TOURS)[number]
  readonly seats: number
  /** Days from today. */
  readonly day: number
  /** How many requests open the payment at once: a double click, two tabs. */
  readonly clicks: 1 | 2 | 3
  /** Whether the payer comes back and asks, as the success page does. */
  readonly comesBack: boolean
  /** What part of the amount a refund gives back, in tenths. */
  readonly tenths: number
  readonly pauseMs: number
  /** Sends, beside its payment, an event that cannot be read. */
  readonly poison: Poison | null
}

export const POISONS = [
  'no_such_object',
  'unknown_type',
  'nul_in_metadata',
  'huge_amount',
  'ancient_version',
  'unknown_status',
] as const
export type Poison = (typeof POISONS)[number]

const POISON_EVERY = 8

/** Each life at least once when there is room, then by weight. */
export function planPayments(seed: number, count: number): readonly PlannedPayment[] {
  const random = createRandom(seed, 'payments')
  const everyLife = random.shuffled(Object.keys(LIFE_WEIGHTS) as Life[])
  return Array.from({ length: count }, (_, number) => {
    const life = everyLife[number] ?? random.weighted(LIFE_WEIGHTS)
    const isDebit = life === 'debit' || life === 'debit_fails'
    return {
      number,
      life,
      customer: `cus_${random.integer(1, Math.max(2, count >> 1))}`,
      tour: isDebit ? EURO_TOUR : random.pick(TOURS),
      seats: random.integer(1, 4),
      day: random.integer(2, 300),
      clicks: random.pick([1, 1, 1, 2, 2, 3] as const),
      comesBack: random.chance(0.5),
      tenths: random.integer(1, 6),
      pauseMs: random.integer(0, 400),
      poison:
        number % POISON_EVERY === 0 ? (POISONS[(number / POISON_EVERY) % POISONS.length] ?? null) : null,
    }
  })
}

/** One strike of the nemesis. */
export type Strike =
  | { readonly kind: 'kill_gateway'; readonly gateway: number; readonly downMs: number }
  | { readonly kind: 'freeze_gateway'; readonly gateway: number; readonly forMs: number }
  | { readonly kind: 'stop_gateway'; readonly gateway: number; readonly downMs: number }
  | {
      readonly kind: 'jump_clock'
      readonly gateway: number
      readonly byMs: number
      readonly forMs: number
    }
  | { readonly kind: 'fill_disk'; readonly forMs: number }
  | { readonly kind: 'cut_database_sessions'; readonly share: number }
  | { readonly kind: 'kill_database'; readonly downMs: number }
  | { readonly kind: 'restart_database'; readonly downMs: number }
  | { readonly kind: 'booking_outage'; readonly how: 'refuse' | 'answer_503'; readonly forMs: number }
  | { readonly kind: 'kill_booking'; readonly downMs: number }
  | { readonly kind: 'cut_connections' }

const STRIKE_WEIGHTS: Readonly<Record<Strike['kind'], number>> = {
  kill_gateway: 34,
  freeze_gateway: 13,
  stop_gateway: 6,
  jump_clock: 8,
  fill_disk: 3,
  cut_database_sessions: 16,
  kill_database: 6,
  restart_database: 5,
  booking_outage: 8,
  kill_booking: 5,
  cut_connections: 7,
}

export const STRIKE_KINDS = Object.keys(STRIKE_WEIGHTS).length
export const GATEWAYS = 3
const MINUTE_MS = 60_000

/** Strikes without end, each with the pause before it; the first ones are of every kind. */
export function* planStrikes(
  seed: number,
  meanGapMs: number,
): Generator<{ afterMs: number; strike: Strike }> {
  const random = createRandom(seed, 'strikes')
  const kinds = random.shuffled(Object.keys(STRIKE_WEIGHTS) as Strike['kind'][])
  for (let index = 0; ; index += 1) {
    const kind = kinds[index] ?? random.weighted(STRIKE_WEIGHTS)
    // Exponential, as independent accidents are.
    const afterMs = Math.min(-Math.log(1 - random.next()) * meanGapMs, 4 * meanGapMs)
    yield { afterMs: Math.round(afterMs), strike: strikeOf(kind, random) }
  }
}

function strikeOf(kind: Strike['kind'], random: ReturnType<typeof createRandom>): Strike {
  const gateway = random.integer(0, GATEWAYS - 1)
  switch (kind) {
    case 'kill_gateway':
    case 'stop_gateway':
      return { kind, gateway, downMs: random.integer(0, 800) }
    case 'freeze_gateway':
      // One in four outlasts its database session: what it had claimed is another's when it wakes up.
      return {
        kind,
        gateway,
        forMs: random.chance(0.25) ? random.integer(11_000, 16_000) : random.integer(500, 7000),
      }
    case 'jump_clock':
      return {
        kind,
        gateway,
        byMs: random.pick([-1, 1]) * random.integer(2 * MINUTE_MS, 6 * 60 * MINUTE_MS),
        forMs: random.integer(1000, 8000),
      }
    case 'fill_disk':
      return { kind, forMs: random.integer(500, 3000) }
    case 'cut_database_sessions':
      return { kind, share: random.pick([0.3, 0.6, 1]) }
    case 'kill_database':
    case 'restart_database':
      return { kind, downMs: random.integer(0, 1500) }
    case 'booking_outage':
      return { kind, how: random.pick(['refuse', 'answer_503']), forMs: random.integer(500, 3000) }
    case 'kill_booking':
      return { kind, downMs: random.integer(0, 1000) }
    case 'cut_connections':
      return { kind }
    default:
      return kind satisfies never
  }
}
