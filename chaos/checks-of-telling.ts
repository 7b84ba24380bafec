// What the booking service heard: once, in order, and the truth.
import type { Case, Check } from './case.ts'
import type { BookingRow } from './evidence.ts'
import type { Told } from './history.ts'
import { expectedOf, groupBy } from './truth.ts'
import type { Truth } from './truth.ts'

const versionOf = ({ body }: Told): number => Number(body['version'])
const wasTakenIn = ({ answered }: Told): boolean => answered !== null && answered >= 200 && answered < 300

export const checksOfTelling: readonly Check[] = [
  {
    name: 'P2 one effect per announcement',
    promise: 'every copy of an announcement carries the same key and the same words, and takes effect once',
    violations: (examined) => [...copiesThatDiffer(examined), ...effectsDoubled(examined)],
  },
  {
    name: 'P6 order per booking',
    promise: 'version n + 1 is told only after version n was taken in',
    violations: ({ told }) =>
      [...told].flatMap(([bookingId, calls]) => {
        const seen = new Set<number>()
        return calls.flatMap((call) => {
          const version = versionOf(call)
          if (seen.has(version)) return []
          seen.add(version)
          const before = calls.some(
            (earlier) =>
              versionOf(earlier) === version - 1 &&
              wasTakenIn(earlier) &&
              (earlier.answeredMs ?? Infinity) <= call.arrivedMs,
          )
          return version === 1 || before ? [] : [`${bookingId} heard version ${version} too early`]
        })
      }),
  },
  {
    name: 'P6 versions without gaps',
    promise: 'the versions written and the versions applied are 1, 2, 3 … in this order',
    violations: ({ evidence, deliveries }) => {
      const applied = groupBy(
        evidence.updates.filter((row) => row.applied),
        (row) => row.booking_id,
      )
      return evidence.bookings.flatMap(({ id, payment_version: last }) => {
        const written = (deliveries.get(id) ?? []).map(({ version }) => version).join(' ')
        const heard = (applied.get(id) ?? []).map(({ version }) => version).join(' ')
        const wanted = Array.from({ length: last }, (_, index) => index + 1).join(' ')
        return [
          ...(written === wanted ? [] : [`${id}: written ${written || 'nothing'}, heard up to ${last}`]),
          ...(heard === wanted
            ? []
            : [`${id}: applied ${heard || 'nothing'} instead of ${wanted || 'nothing'}`]),
        ]
      })
    },
  },
  {
    name: 'P6 the truth is told',
    promise: 'the last word of every booking is what Stripe says, and the booking says the same',
    violations: (examined) => examined.evidence.bookings.flatMap((booking) => lastWord(examined, booking.id)),
  },
  {
    name: 'never told the same twice',
    promise: 'no announcement says what the one before it said',
    violations: ({ deliveries }) =>
      [...deliveries].flatMap(([bookingId, rows]) =>
        rows
          .filter((row, index) => index > 0 && wordsOf(row.body) === wordsOf(rows[index - 1]?.body ?? {}))
          .map(({ version }) => `${bookingId} version ${version} says what version ${version - 1} said`),
      ),
  },
  {
    name: 'nothing refused',
    promise: 'the booking service found nothing wrong with what it was told',
    violations: ({ evidence }) =>
      evidence.told
        .filter(
          ({ serviceAnswered }) =>
            serviceAnswered !== null && serviceAnswered >= 400 && serviceAnswered < 500,
        )
        .map((call) => `${call.bookingId} version ${versionOf(call)} was answered ${call.serviceAnswered}`),
  },
  {
    name: 'nothing had to be mended',
    promise: 'no announcement was ever missing and written later by the reconciliation',
    violations: ({ evidence }) =>
      evidence.rows.drift
        .filter(({ kind }) => kind === 'announcement_missing')
        .map(({ subject }) => `an announcement of ${subject} was missing`),
  },
]

function copiesThatDiffer({ told }: Case): string[] {
  const keys = new Map<string, string>()
  return [...told].flatMap(([bookingId, calls]) => {
    const first = new Map<number, Told>()
    return calls.flatMap((call) => {
      const version = versionOf(call)
      const name = `${bookingId} version ${version}`
      if (call.key === null) return [`${name} came without a key`]
      const owner = keys.get(call.key) ?? name
      keys.set(call.key, owner)
      const before = first.get(version)
      if (before === undefined) first.set(version, call)
      return [
        ...(owner === name ? [] : [`${name} came with the key of ${owner}`]),
        ...(before === undefined || before.key === call.key ? [] : [`${name} came with two keys`]),
        ...(before === undefined || JSON.stringify(before.body) === JSON.stringify(call.body)
          ? []
          : [`${name} came with other words`]),
      ]
    })
  })
}

function effectsDoubled({ evidence }: Case): string[] {
  const effects = groupBy(
    evidence.updates.filter(({ applied }) => applied),
    (row) => `${row.booking_id} version ${row.version}`,
  )
  return [...effects]
    .filter(([, rows]) => rows.length > 1)
    .map(([name, rows]) => `${name} took effect ${rows.length} times`)
}

function lastWord(examined: Case, bookingId: string): string[] {
  const { evidence, truths, payments, told, bookings } = examined
  const truth = truths.get(bookingId)
  const booking = bookings.get(bookingId)
  const calls = told.get(bookingId) ?? []
  if (truth === undefined || booking === undefined) return []
  const unfounded = calls.filter((call) => !isFounded(examined, truth, call))
  const wrong = unfounded.map(
    ({ body }) => `${bookingId} was told ${newsOf(body)}, which Stripe does not say`,
  )
  if (truth.paying.length === 0) return [...wrong, ...lastWordUnpaid(examined, truth, booking)]
  const { announced, refundedMinor } = expectedOf(
    truth,
    payments.get(bookingId)?.payment_intent_id ?? '',
    evidence.extended,
  )
  const last = calls
    .filter(wasTakenIn)
    .reduce<Told | null>(
      (newest, call) => (newest === null || versionOf(call) >= versionOf(newest) ? call : newest),
      null,
    )
  const heard = last === null ? 'nothing' : newsOf(last.body)
  const wanted = newsOf({ status: announced, refundedAmountMinor: refundedMinor })
  // By version: a process that wakes up late sends again what was taken in long ago, and is recognised by it.
  const inOrder = calls.toSorted((a, b) => versionOf(a) - versionOf(b))
  const first = inOrder.find(({ body }) => !isRefusal(body))
  return [
    ...wrong,
    ...(heard === wanted ? [] : [`${bookingId} heard ${heard} last, the truth is ${wanted}`]),
    ...(booking.status === announced ? [] : [`${bookingId} is ${booking.status}, not ${announced}`]),
    ...(first === undefined || newsOf(first.body) === 'confirmed, 0 given back'
      ? []
      : [`${bookingId} was told ${newsOf(first.body)} before it was confirmed`]),
    ...(first === undefined || !inOrder.slice(inOrder.indexOf(first)).some(({ body }) => isRefusal(body))
      ? []
      : [`${bookingId} was told of a refused payment after it was confirmed`]),
  ]
}

/** Of a booking nobody paid for only a refusal is told, and that only to a service that knows the word. */
function lastWordUnpaid(
  { evidence, told }: Case,
  { bookingId, isRefused, received }: Truth,
  booking: BookingRow,
): string[] {
  const calls = told.get(bookingId) ?? []
  const other = calls.find(({ body }) => !isRefusal(body))
  const wasHeard = calls.some((call) => isRefusal(call.body) && wasTakenIn(call))
  const status = wasHeard ? 'payment_failed' : 'pending'
  return [
    ...(other === undefined
      ? []
      : [`${bookingId} was not paid, and its service was told ${newsOf(other.body)}`]),
    ...(evidence.extended && isRefused && received.length === 0 && !wasHeard
      ? [`${bookingId} was refused, and its service never heard of it`]
      : []),
    ...(booking.status === status ? [] : [`${bookingId} was not paid and is ${booking.status}`]),
  ]
}

/** What only services hear that know more than the lesson's words, and only when Stripe has it. */
function isFounded({ evidence }: Case, truth: Truth, { body }: Told): boolean {
  if (isRefusal(body)) return evidence.extended && truth.wasRefused
  return body['status'] !== 'disputed' || (evidence.extended && truth.disputes.length > 0)
}

function isRefusal(body: Readonly<Record<string, unknown>>): boolean {
  return body['status'] === 'payment_failed'
}

function newsOf(body: Readonly<Record<string, unknown>>): string {
  return `${String(body['status'])}, ${Number(body['refundedAmountMinor'] ?? 0)} given back`
}

/** Of two payments within one second the other may turn out to be the first: then the intent is the news. */
function wordsOf(body: Readonly<Record<string, unknown>>): string {
  return `${newsOf(body)}, by ${String(body['paymentIntentId'])}`
}
