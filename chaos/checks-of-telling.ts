// What the booking service heard: once, in order, and the truth.
import type { Case, Check } from './case.ts'
import type { Told } from './history.ts'
import { expectedOf, groupBy } from './truth.ts'

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

function lastWord({ truths, payments, told, bookings }: Case, bookingId: string): string[] {
  const truth = truths.get(bookingId)
  const booking = bookings.get(bookingId)
  const calls = told.get(bookingId) ?? []
  if (truth === undefined || booking === undefined) return []
  if (truth.paying.length === 0)
    return [
      ...(calls.length === 0
        ? []
        : [`${bookingId} was not paid, and its service was told ${newsOf(calls[0]?.body ?? {})}`]),
      ...(booking.status === 'pending' ? [] : [`${bookingId} was not paid and is ${booking.status}`]),
    ]
  const expected = expectedOf(truth, payments.get(bookingId)?.payment_intent_id ?? '')
  const last = calls
    .filter(wasTakenIn)
    .reduce<Told | null>(
      (newest, call) => (newest === null || versionOf(call) >= versionOf(newest) ? call : newest),
      null,
    )
  const heard = last === null ? 'nothing' : newsOf(last.body)
  const wanted = newsOf({ status: expected.announced, refundedAmountMinor: expected.refundedMinor })
  return [
    ...(heard === wanted ? [] : [`${bookingId} heard ${heard} last, the truth is ${wanted}`]),
    ...(booking.status === expected.announced
      ? []
      : [`${bookingId} is ${booking.status}, not ${expected.announced}`]),
    ...(calls[0] === undefined || newsOf(calls[0].body) === 'confirmed, 0 given back'
      ? []
      : [`${bookingId} was told ${newsOf(calls[0].body)} before it was confirmed`]),
  ]
}

function newsOf(body: Readonly<Record<string, unknown>>): string {
  return `${String(body['status'])}, ${Number(body['refundedAmountMinor'] ?? 0)} given back`
}

/** Of two payments within one second the other may turn out to be the first: then the intent is the news. */
function wordsOf(body: Readonly<Record<string, unknown>>): string {
  return `${newsOf(body)}, by ${String(body['paymentIntentId'])}`
}
