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

type Followed = { readonly known: Known; readonly told: readonly Announcement[] }

export type Walked = { readonly orders: number; readonly violations: readonly string[] }

const VIOLATIONS_MAX = 5

/**
 * Every permutation of the history's events, each event repeated right after and at the very end: the same knowledge,
 * the same ledger and the same last word to the booking service in all of them, the states it hears in the order of the
 * true story, never the same news twice, no refund before the confirmation, and conservation of money at every single
 * step. `extended`: the booking service hears of refused payments and open disputes too.
 */
export function walk(history: History, rules: Rules, extended = false): Walked {
  const facts = history.events.map((event) => factsOf(rules.readEvent(event)))
  const start = Object.entries(history.attempts).reduce<Known>(
    (known, [id, says]) => rules.merge(known, { type: 'attempt', id, says }),
    rules.nothingKnown,
  )
  const violations: string[] = []
  const inOrder = follow(facts, extended)
  const trueStory = storyOf(follow(facts, false).told)
  const inOrderLedger = ledgerOf(inOrder.known)
  // Put into one second a won and a lost dispute have no true order: then only the end is one and the same.
  const hasStory = new Set(history.events.map(({ created }) => created)).size > 1
  let orders = 0

  function follow(order: readonly (readonly Fact[])[], isExtended: boolean): Followed {
    let known = start
    let told: readonly Announcement[] = []
    for (const event of order) ({ known, told } = step({ known, told }, event, isExtended))
    return { known, told }
  }
  function ledgerOf(known: Known): readonly unknown[] {
    return rules.postingsOf(known).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }
  function step({ known, told }: Followed, event: readonly Fact[], isExtended: boolean): Followed {
    const next = event.reduce(rules.merge, known)
    const due = rules.dueAnnouncements(next, rules.standingOf(next), told.at(-1) ?? null, isExtended)
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
      const next = step({ known, told }, event, extended)
      const again = step(next, event, extended)
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
      ...(isDeepStrictEqual(lastWord(told), lastWord(inOrder.told))
        ? []
        : [`the last word differs: ${say(told)} instead of ${say(inOrder.told)}`]),
      ...(isDeepStrictEqual(ledgerOf(known), inOrderLedger) ? [] : ['another order ends in another ledger']),
      ...(!hasStory || isPartOf(storyOf(told), trueStory)
        ? []
        : [`another story is told: ${storyOf(told).join(', ')} instead of ${trueStory.join(', ')}`]),
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
    const first = told.findIndex((announcement) => !isRefusal(announcement))
    const refusals = extended ? (first < 0 ? told.length : first) : 0
    return [
      ...(rules.postingsOf(before).every(({ id }) => posted.has(id)) ? [] : ['a posting is taken back']),
      ...(received === balance('stripe_balance') + balance('disputed_funds') + balance('stripe_fees') + back
        ? []
        : ['captured is not what is kept, refunded, disputed and paid in fees']),
      ...(told.length === refusals || told[refusals]?.status === 'confirmed'
        ? []
        : ['something is told before the confirmation']),
      ...(told.slice(refusals).some(isRefusal) ? ['a refusal is told after the confirmation'] : []),
      ...(news.every((word, index) => word !== news[index - 1]) ? [] : ['the same news is told twice']),
      ...(told.length > refusals && standing.paidAt === null
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

const isRefusal = ({ status }: Announcement): boolean => status === 'payment_failed'

/** A try that was refused is news while it may be tried again: of one that was over before, nothing is told. */
function lastWord(told: readonly Announcement[]): Announcement | null {
  return told.findLast((announcement) => !isRefusal(announcement)) ?? null
}

/**
 * The states that were told, one after the other: how much was given back by then may come in other portions. Refusals
 * and open disputes stand beside them: they are news while they last, wherever the refunds are by then.
 */
function storyOf(told: readonly Announcement[]): string[] {
  return told
    .map(({ status }) => status)
    .filter((status) => status !== 'payment_failed' && status !== 'disputed')
    .filter((status, index, all) => status !== all[index - 1])
}

/** Whether `some` happens in `all` in this order; what was over before it was heard of may be left out. */
function isPartOf(some: readonly string[], all: readonly string[]): boolean {
  let next = 0
  for (const status of all) if (status === some[next]) next += 1
  return next === some.length
}
