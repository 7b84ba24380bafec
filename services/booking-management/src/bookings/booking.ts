// What a booking is and what an update of its payment changes. Pure: no clock, no database.
import type {
  AnnouncedStatus,
  BookingStatus,
  BookingView,
  PaymentStatusUpdate,
} from '@passerelle/contracts/booking'
import { toDecimal } from '@passerelle/contracts/money'
import type { Money } from '@passerelle/contracts/money'

export type Booking = {
  readonly id: string
  readonly customerId: string
  readonly customerEmail: string | null
  readonly tourId: string
  readonly tourName: string
  /** The tour's calendar day, `2027-05-01`. */
  readonly date: string
  readonly seats: number
  /** Of all the seats together, as it was when the booking was made. */
  readonly price: Money
  readonly status: BookingStatus
  /** Whether its seats are counted as taken. */
  readonly holdsSeats: boolean
  /** When it is given up if nothing is paid. */
  readonly holdExpiresAt: Date
  readonly givenUpBecause: GivenUpBecause | null
  /** The newest version of the payment that was applied; 0 before the first. */
  readonly paymentVersion: number
  readonly paymentFingerprint: string | null
  readonly paymentIntentId: string | null
  readonly paidAt: Date | null
  readonly refundedAt: Date | null
  readonly refundedMinor: number
  readonly createdAt: Date
}

export type GivenUpBecause = 'customer' | 'hold_expired'

/** What the gateway says of the payment at one version, with its times read. */
export type PaymentUpdate = Omit<PaymentStatusUpdate, 'paidAt' | 'refundedAt'> & {
  readonly paidAt?: Date
  readonly refundedAt?: Date
}

export type Decision =
  | { readonly kind: 'apply'; readonly next: Booking }
  | { readonly kind: 'ignore'; readonly because: 'already_applied' | 'older_version' }
  | { readonly kind: 'refuse'; readonly because: 'amount_mismatch' | 'version_reused' }

const IS_PAID: Record<BookingStatus, boolean> = {
  pending: false,
  confirmed: true,
  cancelled: false,
  partially_refunded: true,
  payment_failed: false,
  disputed: true,
}

// A full refund and a lost dispute end the booking; both arrive as `cancelled`, the lesson's clients send `refunded` too.
const STATUS_OF: Record<AnnouncedStatus, BookingStatus> = {
  confirmed: 'confirmed',
  cancelled: 'cancelled',
  refunded: 'cancelled',
  partially_refunded: 'partially_refunded',
  payment_failed: 'payment_failed',
  disputed: 'disputed',
}

/** Whether the money is with us, so that the customer may come. */
export function isPaid(booking: Booking): boolean {
  return IS_PAID[booking.status]
}

/** Whether the booking should have seats; `holdsSeats` says whether it has. */
export function wantsSeats(booking: Booking): boolean {
  return booking.status !== 'cancelled'
}

/** Paid for, but the tour was full when the money came: a person has to find a seat or give the money back. */
export function isOverbooked(booking: Booking): boolean {
  return isPaid(booking) && !booking.holdsSeats
}

/**
 * What an update changes. The highest version wins whatever the order of arrival; the same or an older one changes
 * nothing. An update that says the booking is paid must name the booking's own price, or it is refused.
 */
export function decide(booking: Booking, update: PaymentUpdate, receivedAt: Date): Decision {
  if (update.version < booking.paymentVersion) return { kind: 'ignore', because: 'older_version' }
  if (update.version === booking.paymentVersion)
    return fingerprintOf(update) === booking.paymentFingerprint
      ? { kind: 'ignore', because: 'already_applied' }
      : { kind: 'refuse', because: 'version_reused' }
  const status = statusAfter(booking, update)
  if (IS_PAID[status] && !isPriceOf(booking, update)) return { kind: 'refuse', because: 'amount_mismatch' }
  const next: Booking = {
    ...booking,
    status,
    paymentVersion: update.version,
    paymentFingerprint: fingerprintOf(update),
    paymentIntentId: update.paymentIntentId ?? booking.paymentIntentId,
    ...moneyAfter(booking, update, { status, receivedAt }),
  }
  return { kind: 'apply', next }
}

// A failed try does not bring back a booking that was given up here: only money does.
function statusAfter(booking: Booking, update: PaymentUpdate): BookingStatus {
  const status = STATUS_OF[update.status]
  return status === 'payment_failed' && booking.givenUpBecause !== null ? 'cancelled' : status
}

type MoneyFields = Pick<Booking, 'paidAt' | 'refundedAt' | 'refundedMinor'>

function moneyAfter(
  booking: Booking,
  update: PaymentUpdate,
  after: { status: BookingStatus; receivedAt: Date },
): MoneyFields {
  const paidAt = update.paidAt ?? booking.paidAt
  const refundedAt = update.refundedAt ?? booking.refundedAt
  const refundedMinor = update.refundedAmountMinor ?? booking.refundedMinor
  switch (update.status) {
    case 'confirmed':
      // Everything is paid and nothing given back, also when a refund had been announced before and failed.
      return {
        paidAt: paidAt ?? after.receivedAt,
        refundedAt: update.refundedAt ?? null,
        refundedMinor: update.refundedAmountMinor ?? 0,
      }
    case 'partially_refunded':
    case 'disputed':
      return { paidAt: paidAt ?? after.receivedAt, refundedAt, refundedMinor }
    case 'cancelled':
    case 'refunded':
      return { paidAt, refundedAt: refundedAt ?? after.receivedAt, refundedMinor }
    case 'payment_failed':
      return { paidAt: update.paidAt ?? null, refundedAt: update.refundedAt ?? null, refundedMinor }
    default:
      return update.status satisfies never
  }
}

function isPriceOf(booking: Booking, update: PaymentUpdate): boolean {
  return update.amountMinor === booking.price.amountMinor && update.currency === booking.price.currency
}

/** The same text for updates that say the same, however their JSON was written. */
export function fingerprintOf(update: PaymentUpdate): string {
  return JSON.stringify([
    update.status,
    update.paymentId,
    update.paymentIntentId,
    update.paidAt?.toISOString() ?? null,
    update.refundedAt?.toISOString() ?? null,
    update.amountMinor,
    update.currency,
    update.refundedAmountMinor ?? null,
  ])
}

export type GiveUp =
  | { readonly kind: 'give_up'; readonly next: Booking }
  | { readonly kind: 'already_cancelled' }
  | { readonly kind: 'paid' }

/** Ends an unpaid booking; one that is paid ends only by a refund. */
export function giveUp(booking: Booking, because: GivenUpBecause): GiveUp {
  if (isPaid(booking)) return { kind: 'paid' }
  if (booking.status === 'cancelled') return { kind: 'already_cancelled' }
  return { kind: 'give_up', next: { ...booking, status: 'cancelled', givenUpBecause: because } }
}

/** The contract's fields, and what else a page wants to show. */
export type BookingAnswer = BookingView & {
  readonly tourId: string
  readonly createdAt: string
  readonly refundedAmount: number
  readonly refundedAmountMinor: number
  /** Until when an unpaid booking keeps its seats; null once it is paid or cancelled. */
  readonly holdExpiresAt: string | null
  readonly overbooked: boolean
}

export function bookingAnswer(booking: Booking): BookingAnswer {
  const { amountMinor, currency } = booking.price
  const isWaiting = booking.status === 'pending' || booking.status === 'payment_failed'
  return {
    id: booking.id,
    status: booking.status,
    customerId: booking.customerId,
    customerEmail: booking.customerEmail,
    tourId: booking.tourId,
    tourName: booking.tourName,
    date: booking.date,
    seats: booking.seats,
    amount: toDecimal(booking.price),
    amountMinor,
    currency,
    paymentIntentId: booking.paymentIntentId,
    paidAt: booking.paidAt?.toISOString() ?? null,
    refundedAt: booking.refundedAt?.toISOString() ?? null,
    refundedAmount: toDecimal({ amountMinor: booking.refundedMinor, currency }),
    refundedAmountMinor: booking.refundedMinor,
    paymentVersion: booking.paymentVersion,
    createdAt: booking.createdAt.toISOString(),
    holdExpiresAt: isWaiting ? booking.holdExpiresAt.toISOString() : null,
    overbooked: isOverbooked(booking),
  }
}
