/** Every page's address, with the lesson's names. */
export const paths = {
  tours: () => '/',
  tour: (tourId: string) => `/tours/${encodeURIComponent(tourId)}`,
  bookings: () => '/bookings',
  booking: (bookingId: string) => `/bookings/${encodeURIComponent(bookingId)}`,
  card: (bookingId: string) => `/bookings/${encodeURIComponent(bookingId)}/card`,
  statusLink: (statusToken: string) => `/p/${encodeURIComponent(statusToken)}`,
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

/** Where the payment page returns to, and what a status link leads to. These have a document of their own, without the router. */
export const paymentPatterns = {
  success: '/payment-success',
  cancel: '/payment-cancel',
  status: '/payment-status',
} as const

/** Leads to the payment of a status token, which leaves the address at once. */
export const statusLinkPattern = '/p/:statusToken'

/** Paying by card without leaving the site, with a document of its own that lets Stripe's script in. */
export const cardPattern = '/bookings/:bookingId/card'
