import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { dueAnnouncements } from '../src/outbox/announcement.ts'
import { postingsOf } from '../src/ledger/ledger.ts'
import { merge, NOTHING_KNOWN } from '../src/payments/known.ts'
import type { Known } from '../src/payments/known.ts'
import { standingOf } from '../src/payments/payment.ts'
import { readEvent } from '../src/stripe/facts.ts'
import { HISTORIES } from './histories.ts'
import { walk } from './permutations.ts'
import type { Rules } from './permutations.ts'

const RULES: Rules = {
  merge,
  nothingKnown: NOTHING_KNOWN,
  standingOf,
  dueAnnouncements,
  postingsOf,
  readEvent,
}

/** The same history with every event in one second: nothing but rank and id is left to order them. */
const inOneSecond = (history: (typeof HISTORIES)[number]) => ({
  ...history,
  events: history.events.map((event) => ({ ...event, created: 10 })),
})

describe('every order of arrival, with every event repeated, ends the same', () => {
  for (const history of HISTORIES)
    it(`${history.name} (${history.events.length} events)`, () => {
      assert.deepEqual(walk(history, RULES).violations, [])
      assert.deepEqual(walk(history, RULES, true).violations, [])
      assert.deepEqual(walk(inOneSecond(history), RULES).violations, [])
    })
})

/** Ten ways to break the rules; each is one edit of the real files. */
const MUTANTS: readonly {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
}[] = [
  {
    what: 'the last event wins over a final state',
    file: 'payments/known.ts',
    from: 'const bothOpen = !isFinal(a.state) && !isFinal(b.state)',
    to: 'const bothOpen = true',
  },
  {
    what: 'the later report wins, whatever it says',
    file: 'payments/known.ts',
    from: 'return order >= 0 ? a : b\n}\n\nfunction laterDecline',
    to: 'return b\n}\n\nfunction laterDecline',
  },
  {
    what: 'a refund that failed counts as succeeded again',
    file: 'payments/known.ts',
    from: 'state: REFUND_STATES.indexOf(a.state) >= REFUND_STATES.indexOf(b.state) ? a.state : b.state',
    to: 'state: b.state',
  },
  {
    what: 'money received is added up',
    file: 'payments/known.ts',
    from: 'receivedMinor: Math.max(a.receivedMinor, b.receivedMinor)',
    to: 'receivedMinor: a.receivedMinor + b.receivedMinor',
  },
  {
    what: 'a paid session may become unpaid',
    file: 'payments/known.ts',
    from: "money: a.money === 'paid' || b.money === 'paid' ? 'paid' : 'unpaid'",
    to: 'money: b.money',
  },
  {
    what: 'a dispute follows the order of arrival',
    file: 'payments/known.ts',
    from: 'const current = order >= 0 ? a : b\n  return {\n    intentId: firstKnown(a.intentId, b.intentId),\n    state: current.state,\n    stateAt: current.stateAt,\n    amountMinor: Math.max',
    to: 'const current = b\n  return {\n    intentId: firstKnown(a.intentId, b.intentId),\n    state: current.state,\n    stateAt: current.stateAt,\n    amountMinor: Math.max',
  },
  {
    what: 'any amount pays',
    file: 'payments/payment.ts',
    from: 'intent.receivedMinor === asked.amountMinor &&',
    to: '',
  },
  {
    what: 'the payment heard of first is the payment',
    file: 'payments/payment.ts',
    from: 'const paying = received.filter(isWhatWasAsked).sort(bySuccess)',
    to: 'const paying = received.filter(isWhatWasAsked)',
  },
  {
    what: 'only what is new is announced, without what came before it',
    file: 'outbox/announcement.ts',
    from: "if (announced === null || announced.status === 'payment_failed') return steps",
    to: "if (announced === null || announced.status === 'payment_failed') return [last]",
  },
  {
    what: 'after a refused try only what is new is announced',
    file: 'outbox/announcement.ts',
    from: "announced === null || announced.status === 'payment_failed'",
    to: 'announced === null',
  },
  {
    what: 'a completed form is paid',
    file: 'stripe/facts.ts',
    from: "if (state === 'complete' && money === 'paid' && intentId !== null)",
    to: "if (state === 'complete' && intentId !== null)",
  },
  {
    what: 'a failed refund is posted once',
    file: 'ledger/ledger.ts',
    from: 'failed: { given: true, returned: true }',
    to: 'failed: { given: false, returned: false }',
  },
  {
    what: 'a pending refund is posted as given',
    file: 'ledger/ledger.ts',
    from: 'pending: { given: false, returned: false }',
    to: 'pending: { given: true, returned: false }',
  },
]

const source = fileURLToPath(new URL('../src', import.meta.url))
const workshop = mkdtempSync(join(tmpdir(), 'passerelle-mutants-'))
after(() => rmSync(workshop, { recursive: true, force: true }))
symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(workshop, 'node_modules'))

async function broken(index: number, mutant: (typeof MUTANTS)[number]): Promise<Rules> {
  const root = join(workshop, String(index))
  cpSync(source, root, { recursive: true })
  const path = join(root, mutant.file)
  const text = readFileSync(path, 'utf8')
  assert.equal(
    text.split(mutant.from).length,
    2,
    `the mutant "${mutant.what}" no longer fits ${mutant.file}: mend it`,
  )
  writeFileSync(path, text.replace(mutant.from, mutant.to))
  const load = <T>(file: string): Promise<T> => import(pathToFileURL(join(root, file)).href) as Promise<T>
  const known = await load<Pick<Rules, 'merge'> & { NOTHING_KNOWN: Known }>('payments/known.ts')
  return {
    merge: known.merge,
    nothingKnown: known.NOTHING_KNOWN,
    ...(await load<Pick<Rules, 'standingOf'>>('payments/payment.ts')),
    ...(await load<Pick<Rules, 'dueAnnouncements'>>('outbox/announcement.ts')),
    ...(await load<Pick<Rules, 'postingsOf'>>('ledger/ledger.ts')),
    ...(await load<Pick<Rules, 'readEvent'>>('stripe/facts.ts')),
  }
}

describe('the suite catches every planted fault', () => {
  for (const [index, mutant] of MUTANTS.entries())
    it(mutant.what, async () => {
      const rules = await broken(index, mutant)
      const caught = HISTORIES.filter(({ events }) => events.length <= 5).filter((history) => {
        try {
          return (
            walk(history, rules).violations.length > 0 ||
            walk(inOneSecond(history), rules).violations.length > 0 ||
            walk(history, rules, true).violations.length > 0
          )
        } catch {
          return true
        }
      })
      assert.ok(caught.length > 0, 'no history notices')
    })
})
