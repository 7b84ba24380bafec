import { formatMoney } from '@passerelle/contracts/money'
import { Suspense, use, useState } from 'react'
import type { ReactNode } from 'react'
import { fetchBooking, fetchTours } from '../api/booking.client.ts'
import { formatDay, formatMoment } from '../language/dates.ts'
import { useLanguage } from '../language/language-context.tsx'
import { Details } from '../ui/details.tsx'
import type { Booking } from '../api/booking.client.ts'
import type { Received } from '../payment-status/payer-view.ts'

type Booked = { readonly booking: Booking; readonly timeZone: string | undefined }
type Props = { readonly bookingId: string; readonly received: Received }

/** What was paid for. The amount and the reference are there at once, and alone when the booking cannot be read. */
export function Receipt(props: Props): ReactNode {
  const { messages } = useLanguage()
  const [booked] = useState(() => readBooked(props.bookingId))
  return (
    <section className="receipt" aria-label={messages.payment.receipt}>
      <Suspense fallback={<ReceiptFacts {...props} booked={null} />}>
        <BookedReceipt {...props} promise={booked} />
      </Suspense>
    </section>
  )
}

function BookedReceipt({ promise, ...props }: Props & { promise: Promise<Booked | null> }): ReactNode {
  return <ReceiptFacts {...props} booked={use(promise)} />
}

function ReceiptFacts({ bookingId, received, booked }: Props & { booked: Booked | null }): ReactNode {
  const { language, messages } = useLanguage()
  const labels = messages.payment
  const booking = booked?.booking
  return (
    <Details
      facts={{
        [labels.tour]: booking?.tourName,
        [messages.booking.date]: booking && formatDay(booking.date, language),
        [messages.booking.seats]: booking?.seats,
        [labels.amount]: <strong className="price">{formatMoney(received, language)}</strong>,
        [labels.paidAt]: received.paidAt && formatMoment(received.paidAt, language, booked?.timeZone),
        [messages.booking.reference]: <span className="reference">{bookingId}</span>,
      }}
    />
  )
}

/** Null on any trouble: a receipt with fewer lines is still a receipt. */
async function readBooked(bookingId: string): Promise<Booked | null> {
  try {
    const [booking, tours] = await Promise.all([fetchBooking(bookingId), fetchTours()])
    return { booking, timeZone: tours.find(({ id }) => id === booking.tourId)?.timeZone }
  } catch {
    return null
  }
}
