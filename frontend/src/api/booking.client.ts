import type { BookingView, CreateBookingBody, TourView } from '@passerelle/contracts/booking'
import { asCustomer } from '../customer/sign-in.ts'
import { ApiError, requestData } from '@passerelle/client/request'
import { siteConfig } from './site-config.ts'

const PREFIX = '/api/v1'

/** The contract's booking, and what this platform's booking service adds to it. */
export type Booking = BookingView & {
  readonly tourId?: string
  /** Until when an unpaid booking keeps its seats. */
  readonly holdExpiresAt?: string | null
  readonly refundedAmountMinor?: number
}

export async function fetchTours(signal?: AbortSignal): Promise<readonly TourView[]> {
  return await requestData<readonly TourView[]>(url('/tours'), { signal })
}

/** The signed-in customer's own bookings, newest first. */
export async function fetchBookings(signal?: AbortSignal): Promise<readonly Booking[]> {
  return await asCustomer((jwt) => requestData<readonly Booking[]>(url('/bookings'), { jwt, signal }))
}

export async function fetchBooking(bookingId: string, signal?: AbortSignal): Promise<Booking> {
  return await asCustomer((jwt) => requestData<Booking>(url(bookingPath(bookingId)), { jwt, signal }))
}

/** Asking twice with the same key makes one booking. */
export async function createBooking(body: CreateBookingBody, idempotencyKey: string): Promise<Booking> {
  return await asCustomer((jwt) =>
    requestData<Booking>(url('/bookings'), { method: 'POST', body, jwt, idempotencyKey }),
  )
}

/** Frees the seats of an unpaid booking. A booking service that knows no giving up keeps them until they run out. */
export async function cancelBooking(bookingId: string): Promise<void> {
  const path = `${bookingPath(bookingId)}/cancel`
  try {
    await asCustomer((jwt) => requestData<Booking>(url(path), { method: 'POST', body: {}, jwt }))
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
  }
}

function url(path: string): string {
  return `${siteConfig.bookingUrl}${PREFIX}${path}`
}

function bookingPath(bookingId: string): string {
  return `/bookings/${encodeURIComponent(bookingId)}`
}
