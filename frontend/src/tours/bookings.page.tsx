import { useQuery } from '@tanstack/react-query'
import { formatMoney } from '@passerelle/contracts/money'
import { Link } from 'react-router'
import type { ReactNode } from 'react'
import { fetchBookings } from '../api/booking.client.ts'
import { bookingState } from '../api/booking-state.ts'
import { formatDay } from '../language/dates.ts'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { Failed } from '../ui/failed.tsx'
import { Loading } from '../ui/loading.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { StatusPill } from '../ui/status-pill.tsx'
import { useArrivedByLink } from '../ui/use-arrived-by-link.ts'
import type { Booking } from '../api/booking.client.ts'

/** What the customer has booked so far. */
export function BookingsPage(): ReactNode {
  const { messages } = useLanguage()
  const arrivedByLink = useArrivedByLink()
  const bookings = useQuery({ queryKey: ['bookings'], queryFn: ({ signal }) => fetchBookings(signal) })
  return (
    <>
      <div className="intro">
        <PageHeading takesFocus={arrivedByLink}>{messages.bookings.heading}</PageHeading>
      </div>
      {bookings.isPending && <Loading />}
      {bookings.isError && <Failed error={bookings.error} retry={() => void bookings.refetch()} />}
      {bookings.data?.length === 0 && <NothingYet />}
      <ul className="bookings">
        {bookings.data?.map((booking) => (
          <BookingRow key={booking.id} booking={booking} />
        ))}
      </ul>
    </>
  )
}

function NothingYet(): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="card">
      <p className="lead">{messages.bookings.empty}</p>
      <div className="actions">
        <Link className="button button-main" to={paths.tours()}>
          {messages.site.allTours}
        </Link>
      </div>
    </div>
  )
}

function BookingRow({ booking }: { booking: Booking }): ReactNode {
  const { language, messages } = useLanguage()
  return (
    <li className="card booking-row">
      <div>
        <h2>
          <Link to={paths.booking(booking.id)}>{booking.tourName}</Link>
        </h2>
        <p className="fine">
          {formatDay(booking.date, language)} · {messages.bookings.seats(booking.seats)} ·{' '}
          {formatMoney(booking, language)}
        </p>
      </div>
      <StatusPill state={bookingState(booking)} />
    </li>
  )
}
