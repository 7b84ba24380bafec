// Walks through every order in which the events of a history can arrive, repeats included, and says what does not hold.
import { isDeepStrictEqual } from 'node:util'
import type * as announcements from '../src/outbox/announcement.ts'
import type { Announcement } from '../src/outbox/announcement.ts'
import type * as ledgers from '../src/ledger/ledger.ts'
import type * as knowing from '../src/payments/known.ts'
import type { Fact, Known } from '../src/payments/known.ts'
import type * as payments from '../src/payments/payment.ts'
import type * as reading from '../src/stripe/facts.ts'
import type { History } from './histories.ts'

/** The code under test, handed in so that a broken copy of it can be tested as well. */
export type Rules = {
  readonly merge: typeof knowing.merge
  readonly nothingKnown: Known
  readonly standingOf: typeof payments.standingOf
  readonly dueAnnouncements: typeof announcements.dueAnnouncements
  readonly postingsOf: typeof ledgers.postingsOf
  readonly readEvent: typeof reading.readEvent
}

export type Walked = { readonly orders: number; readonly violations: readonly string[] }

const VIOLATIONS_MAX = 5

/**
 * Every permutation of the history's events, each event repeated right after and at the very end: the same knowledge,
 * the same ledger and the same last word to the booking service in all of them, the states it hears in the order of the
 * true story, never the same news twice, no refund before the confirmation, and conservation of money at every single
 * step.
 */
export function walk(history: History, rules: Rules): Walked {
  const facts = history.events.map((event) => factsOf(rules.readEvent(event)))
  const start = Object.entries(history.attempts).reduce<Known>(
    (known, [id, says]) => rules.merge(known, { type: 'attempt', id, says }),
    rules.nothingKnown,
  )
  const violations: string[] = []
  const inOrder = follow(facts)
  const inOrderLedger = ledgerOf(inOrder.known)
  // Put into one second a won and a lost dispute have no true order: then only the end is one and the same.
  const hasStory = new Set(history.events.map(({ created }) => created)).size > 1
  let orders = 0

  function follow(order: readonly (readonly Fact[])[]): { known: Known; told: readonly Announcement[] } {
    let known = start
    let told: readonly Announcement[] = []
    for (const event of order) ({ known, told } = step(known, told, event))
    return { known, told }
  }
  function ledgerOf(known: Known): readonly unknown[] {
    return rules.postingsOf(known).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }
  function step(
    known: Known,
    told: readonly Announcement[],
    event: readonly Fact[],
  ): { known: Known; told: readonly Announcement[] } {
    const next = event.reduce(rules.merge, known)
    const due = rules.dueAnnouncements(next, rules.standingOf(next), told.at(-1) ?? null, false)
    return { known: next, told: due.length === 0 ? told : [...told, ...due] }
  }
  function visit(known: Known, told: readonly Announcement[], left: readonly number[]): void {
    if (violations.length >= VIOLATIONS_MAX) return
    if (left.length === 0) {
      orders += 1
      violations.push(...endViolations(known, told))
      return
    }
    for (const index of left) {
      const event = facts[index] ?? []
      const next = step(known, told, event)
      const again = step(next.known, next.told, event)
      if (again.known !== next.known || again.told !== next.told)
        violations.push('a repeated event changes something')
      violations.push(...stepViolations(known, next.known, next.told))
      visit(
        next.known,
        next.told,
        left.filter((other) => other !== index),
      )
    }
  }
  function endViolations(known: Known, told: readonly Announcement[]): string[] {
    const repeated = facts.reduce((all, event) => event.reduce(rules.merge, all), known)
    return [
      ...(repeated === known ? [] : ['delivering everything again changes something']),
      ...(isDeepStrictEqual(known, inOrder.known) ? [] : ['another order ends in other knowledge']),
      ...(isDeepStrictEqual(told.at(-1), inOrder.told.at(-1))
        ? []
        : [`the last word differs: ${say(told)} instead of ${say(inOrder.told)}`]),
      ...(isDeepStrictEqual(ledgerOf(known), inOrderLedger) ? [] : ['another order ends in another ledger']),
      ...(!hasStory || isPartOf(storyOf(told), storyOf(inOrder.told))
        ? []
        : [
            `another story is told: ${storyOf(told).join(', ')} instead of ${storyOf(inOrder.told).join(', ')}`,
          ]),
    ]
  }
  function stepViolations(before: Known, after: Known, told: readonly Announcement[]): string[] {
    const posted = new Set(rules.postingsOf(after).map(({ id }) => id))
    const standing = rules.standingOf(after)
    const balance = (account: string): number =>
      rules
        .postingsOf(after)
        .flatMap(({ entries }) => entries)
        .filter((entry) => entry.account === account)
        .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
    const received = Object.values(after.intents)
      .filter(({ state }) => state === 'succeeded')
      .reduce((sum, { receivedMinor }) => sum + receivedMinor, 0)
    const back = Object.values(after.refunds)
      .filter(({ state }) => state === 'succeeded')
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
    const news = told.map((announcement) => say([announcement]))
    return [
      ...(rules.postingsOf(before).every(({ id }) => posted.has(id)) ? [] : ['a posting is taken back']),
      ...(received === balance('stripe_balance') + balance('disputed_funds') + balance('stripe_fees') + back
        ? []
        : ['captured is not what is kept, refunded, disputed and paid in fees']),
      ...(told.length === 0 || told[0]?.status === 'confirmed'
        ? []
        : ['something is told before the confirmation']),
      ...(news.every((word, index) => word !== news[index - 1]) ? [] : ['the same news is told twice']),
      ...(told.length > 0 && standing.paidAt === null
        ? ['a payment that was told steps back to unpaid']
        : []),
      ...(standing.paidAt !== null &&
      !Object.values(after.attempts).some(
        ({ amountMinor, currency }) => amountMinor === standing.capturedMinor && currency === 'eur',
      )
        ? ['paid, but not what was asked']
        : []),
    ]
  }

  visit(
    start,
    [],
    facts.map((_, index) => index),
  )
  return { orders, violations }
}

function factsOf(read: ReturnType<Rules['readEvent']>): readonly Fact[] {
  return read.kind === 'facts' ? read.facts : []
}

function say(told: readonly Announcement[]): string {
  return told
    .map(({ status, refundedMinor, paymentIntentId }) => `${status} ${refundedMinor} ${paymentIntentId}`)
    .join(', ')
}

/** The states that were told, one after the other: how much was given back by then may come in other portions. */
function storyOf(told: readonly Announcement[]): string[] {
  return told.map(({ status }) => status).filter((status, index, all) => status !== all[index - 1])
}

/** Whether `some` happens in `all` in this order; what was over before it was heard of may be left out. */
function isPartOf(some: readonly string[], all: readonly string[]): boolean {
  let next = 0
  for (const status of all) if (status === some[next]) next += 1
  return next === some.length
}
