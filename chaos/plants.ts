// Bugs to plant into a copy of the gateway, so that a campaign can be seen to fail.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One edit of one file. `caughtBy` names a check that must notice. */
export type Plant = {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly caughtBy: string
  /** It can be noticed only where the booking service is told of refused payments and open disputes too. */
  readonly extended?: true
}

export const PLANTS: Readonly<Record<string, Plant>> = {
  'ack-before-commit': {
    what: 'a webhook is answered while its event waits to be stored',
    file: 'stripe/inbox.ts',
    from: 'flushIfDue()\n      return promise',
    to: 'flushIfDue()\n      promise.catch(() => {})\n      return Promise.resolve()',
    caughtBy: 'P1 durable acknowledgement',
  },
  'mark-before-apply': {
    what: 'an event is marked as processed in one transaction and applied in another, a little later',
    file: 'stripe/apply-events.ts',
    from: 'const stored = await inTwoRoundTrips(pool, reads, (answers) => {',
    to: `let rest: readonly Statement[] = []
  const markFirst: typeof inTwoRoundTrips<StoredEvents> = async (...[at, asked, plan]) => {
    const done = await inTwoRoundTrips(at, asked, (answers) => {
      const { result, writes } = plan(answers)
      const marks = writes.filter(({ name }) => /^(insert|mark)_events$/.test(name))
      rest = writes.filter((one) => !marks.includes(one))
      return { result, writes: marks }
    })
    await new Promise((go) => setTimeout(go, 400))
    await inTwoRoundTrips(at, [], () => ({ result: null, writes: rest }))
    return done
  }
  const stored = await markFirst(pool, reads, (answers) => {`,
    caughtBy: 'P8 money conserved',
  },
  'no-key': {
    what: 'announcements carry no Idempotency-Key',
    file: 'outbox/booking.client.ts',
    from: ", 'idempotency-key': idempotencyKey }",
    to: ' }',
    caughtBy: 'P2 one effect per announcement',
  },
  'new-key-each-time': {
    what: 'every try of an announcement has a key of its own',
    file: 'outbox/booking.client.ts',
    from: "'idempotency-key': idempotencyKey",
    to: "'idempotency-key': newId('key')",
    caughtBy: 'P2 one effect per announcement',
  },
  'no-order': {
    what: 'the announcements of one booking are sent at once',
    file: 'outbox/delivery.repository.ts',
    from: "earlier.status = 'pending' and earlier.version < d.version",
    to: "earlier.status = 'pending' and earlier.version < d.version and false",
    caughtBy: 'P6 order per booking',
  },
  'claims-outlive-processes': {
    what: 'what a killed process had claimed stays claimed',
    file: 'outbox/delivery.repository.ts',
    from: 'or (d.claimed_by <> $1 and d.claimed_by not in (select worker from alive))',
    to: '',
    caughtBy: 'P3 nothing stranded',
  },
  'lost-outbox-row': {
    what: 'one announcement in five is never written',
    file: 'outbox/delivery.repository.ts',
    from: 'if (deliveries.length === 0) return []\n',
    to: 'if (deliveries.length === 0 || Math.random() < 0.2) return []\n',
    caughtBy: 'nothing had to be mended',
  },
  'last-write-wins': {
    what: 'the last report of a refund wins',
    file: 'payments/known.ts',
    from: 'state: REFUND_STATES.indexOf(a.state) >= REFUND_STATES.indexOf(b.state) ? a.state : b.state',
    to: 'state: b.state',
    caughtBy: 'P4 rows are the truth',
  },
  'refund-doubled': {
    what: 'every try of a refund has a key of its own',
    file: 'refunds/request-refund.ts',
    from: '`${request.id}_${request.keyNumber}`',
    to: "newId('key')",
    caughtBy: 'P7 refunds once',
  },
  'session-doubled': {
    what: 'every click makes a session of its own',
    file: 'checkout/start-attempt.ts',
    from: 'await deps.stripe.createSession(attempt.parameters, attempt.id)',
    to: "await deps.stripe.createSession(attempt.parameters, newId('key'))",
    caughtBy: 'P7 no double charge',
  },
  'second-payment-kept': {
    what: 'a second payment of a booking is not given back',
    file: 'payments/apply-facts.ts',
    from: "trouble.kind === 'duplicate_payment'",
    to: 'false',
    caughtBy: 'P7 no double charge',
  },
  'posting-skipped': {
    what: 'a refund that failed is not posted back',
    file: 'ledger/ledger.ts',
    from: 'failed: { given: true, returned: true }',
    to: 'failed: { given: true, returned: false }',
    caughtBy: 'P8 money conserved',
  },
  'any-amount-pays': {
    what: 'any amount pays',
    file: 'payments/payment.ts',
    from: 'intent.receivedMinor === asked.amountMinor &&',
    to: '',
    caughtBy: 'P9 amount integrity',
  },
  'dispute-kept-quiet': {
    what: 'an open dispute is not told to a service that knows the word',
    file: 'outbox/announcement.ts',
    from: "return extended ? [{ status: 'disputed'",
    to: "return extended && false ? [{ status: 'disputed'",
    caughtBy: 'P6 the truth is told',
    extended: true,
  },
  'no-sweep': {
    what: 'events that were never delivered are not looked for',
    file: 'reconciliation/sweep-events.ts',
    from: 'const received = page.events.flatMap((json) => receivedOf(json, deps.livemode))',
    to: 'const received = page.events.slice(0, 0).flatMap((json) => receivedOf(json, deps.livemode))',
    caughtBy: 'P17 lost webhooks healed',
  },
  'poison-stops-the-line': {
    what: 'an event that cannot be applied is tried again at once, before all others',
    file: 'stripe/work-owed-events.ts',
    from: 'const spent = error instanceof HeldEvent || owed.attempts >= ATTEMPTS_MAX',
    to: 'const spent = owed.attempts >= 1e9',
    caughtBy: 'P12 poison isolated',
  },
}

const GATEWAY = fileURLToPath(new URL('../services/payment-gateway/', import.meta.url))
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url))

/** Copies the gateway into `folder` with the bug in it, and returns its main. */
export function plantBug(name: string, folder: string): string {
  const plant = PLANTS[name]
  if (plant === undefined) throw new Error(`there is no bug "${name}" to plant`)
  const copy = join(folder, 'planted')
  mkdirSync(copy, { recursive: true })
  for (const part of ['src', 'migrations', 'package.json'])
    cpSync(join(GATEWAY, part), join(copy, part), { recursive: true })
  symlinkSync(MODULES, join(copy, 'node_modules'))
  const path = join(copy, 'src', plant.file)
  const text = readFileSync(path, 'utf8')
  if (text.split(plant.from).length !== 2)
    throw new Error(`the bug "${name}" no longer fits ${plant.file}: mend it`)
  writeFileSync(
    path,
    text.replace(plant.from, () => plant.to),
  )
  return join(copy, 'src', 'main.ts')
}
