/** Every page's address, with the lesson's names. */
export const paths = {
  tours: () => '/',
  tour: (tourId: string) => `/tours/${encodeURIComponent(tourId)}`,
  bookings: () => '/bookings',
  booking: (bookingId: string) => `/bookings/${encodeURIComponent(bookingId)}`,
} as const

/** The same addresses as the router's patterns. */
export const patterns = {
  tours: '/',
  tour: '/tours/:tourId',
  bookings: '/bookings',
  booking: '/bookings/:bookingId',
  /** The lesson's address for paying again. */
  bookingPayment: '/bookings/:bookingId/payment',
} as const

/** Where the payment page returns to. These have a document of their own, without the router. */
export const paymentPatterns = { success: '/payment-success', cancel: '/payment-cancel' } as const
