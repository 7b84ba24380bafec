// What a person reads after a campaign, and what is kept of one that failed.
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from './campaign.ts'
import type { Outcome } from './campaign.ts'
import { CHECKS } from './checker.ts'
import { commandOf } from './options.ts'
import type { CampaignOptions } from './options.ts'

const SHOWN_PER_CHECK_MAX = 5

export function reportOf(outcome: Outcome, options: CampaignOptions): string {
  return [
    ...countsOf(outcome),
    '',
    'Survived:',
    ...byName(outcome.history.faults).map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`),
    '',
    'Recovery:',
    ...byName(outcome.history.recoveriesMs).map(([name, times]) => `  ${name}: ${spread(times)}`),
    `  announcements written → taken in: ${spread(outcome.evidence.rows.deliveries.flatMap(({ waited_ms: ms }) => ms ?? []))}`,
    ...outcome.lastWrong
      .slice(0, 3)
      .map(({ check, what }) => `  among the last to come right: ${check}: ${what}`),
    '',
    'Payers waited:',
    ...byName(outcome.history.waitsMs).map(([what, times]) => `  ${what}: ${spread(times)}`),
    '',
    'Checks:',
    ...CHECKS.flatMap((check) => verdictOf(check, outcome)),
    '',
    `Again: ${commandOf(options)}`,
  ].join('\n')
}

function countsOf({ evidence, history, tookMs }: Outcome): string[] {
  const { stripe, rows, updates } = evidence
  const attempts = stripe.deliveries.reduce((sum, delivery) => sum + delivery.attempts.length, 0)
  const copies = history.told.length - rows.deliveries.length
  return [
    `${evidence.bookings.length} bookings, ${rows.payments.length} payments, ${history.actions.length} client calls that ended`,
    `${stripe.events.length} events of Stripe, ${attempts} webhook attempts, ${rows.events.filter(({ source }) => source === 'sweep').length} events found by the sweep alone`,
    `${rows.deliveries.length} announcements, told ${history.told.length} times (${copies} copies, ${updates.filter(({ applied }) => !applied).length} recognised as such by the booking service)`,
    `${stripe.refunds.length} refunds, ${stripe.disputes.length} disputes, ${rows.ledger.length} ledger entries, ${rows.incidents.length} incidents`,
    `storm ${seconds(tookMs.storm)}, everything right ${seconds(tookMs.healing)} after it`,
  ]
}

function verdictOf({ name, promise }: { name: string; promise: string }, { violations }: Outcome): string[] {
  const own = violations.filter(({ check }) => check === name)
  if (own.length === 0) return [`  ok      ${name}: ${promise}`]
  return [
    `  BROKEN  ${name}: ${promise}`,
    ...own.slice(0, SHOWN_PER_CHECK_MAX).map(({ what }) => `            ${what}`),
    ...(own.length > SHOWN_PER_CHECK_MAX ? [`            and ${own.length - SHOWN_PER_CHECK_MAX} more`] : []),
  ]
}

function byName<T>(entries: ReadonlyMap<string, T>): [string, T][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return 'never'
  const sorted = [...times].sort((a, b) => a - b)
  const quantile = (share: number): string => seconds(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
  return `${times.length} times, median ${quantile(0.5)}, 99 % ${quantile(0.99)}, longest ${quantile(1)}`
}

/** Writes everything that is known of a run into a folder of its own, and returns its path. */
export function keepHistory(outcome: Outcome, options: CampaignOptions): string {
  const folder = join(options.into, `seed-${options.seed}-${new Date().toISOString().replaceAll(':', '-')}`)
  mkdirSync(folder, { recursive: true })
  const write = (name: string, lines: readonly unknown[]): void =>
    writeFileSync(
      join(folder, name),
      lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    )
  write('report.txt', [reportOf(outcome, options)])
  write('violations.jsonl', outcome.violations)
  write('nemesis.log', outcome.history.log)
  write('plan.jsonl', outcome.plan)
  write('clients.jsonl', outcome.history.actions)
  write('bookings.jsonl', outcome.history.bookings)
  write('told.jsonl', outcome.history.told)
  for (const [table, rows] of Object.entries(outcome.evidence.rows)) write(`rows-${table}.jsonl`, rows)
  for (const [table, records] of Object.entries(outcome.evidence.stripe))
    write(`stripe-${table}.jsonl`, records)
  write('booking-updates.jsonl', outcome.evidence.updates)
  for (const name of readdirSync(outcome.folder))
    if (name.endsWith('.log')) copyFileSync(join(outcome.folder, name), join(folder, name))
  return folder
}
