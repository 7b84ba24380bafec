import { useQuery } from '@tanstack/react-query'
import { formatMoney } from '@passerelle/contracts/money'
import { useCallback, useEffect } from 'react'
import { useParams } from 'react-router'
import type { ReactNode } from 'react'
import { fetchBooking } from '../api/booking.client.ts'
import { stripeConfig } from '../api/site-config.ts'
import { paths } from '../paths.ts'
import { ApiError } from '@passerelle/client/request'
import { useTours } from '../api/use-tours.ts'
import { formatDay, formatMoment } from '../language/dates.ts'
import { useLanguage } from '../language/language-context.tsx'
import { keptSession, tabStore } from './kept-session.ts'
import { useStartPayment } from './use-start-payment.ts'
import { useAnnouncement } from '../ui/announcer.tsx'
import { Details } from '../ui/details.tsx'
import { Failed } from '../ui/failed.tsx'
import { LockIcon, PrintIcon } from '../ui/icons.tsx'
import { Loading } from '../ui/loading.tsx'
import { NotFoundPage } from '../ui/not-found.page.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { Reference } from '../ui/reference.tsx'
import { StatusPill } from '../ui/status-pill.tsx'
import { useArrivedByLink } from '../ui/use-arrived-by-link.ts'
import type { Booking as BookingData } from '../api/booking.client.ts'
import { HAS_RECEIPT, IS_PAYABLE, bookingState, rereadMs } from '../api/booking-state.ts'

export function BookingPage(): ReactNode {
  const { bookingId = '' } = useParams()
  const { messages } = useLanguage()
  const booking = useQuery({
    queryKey: ['booking', bookingId],
    queryFn: ({ signal }) => fetchBooking(bookingId, signal),
    refetchInterval: ({ state }) =>
      rereadMs(state.data ? bookingState(state.data) : null, {
        hasSession: keptSession(tabStore(), bookingId) !== null,
        reads: state.dataUpdateCount,
      }),
  })
  const { refetch } = booking
  const reload = useCallback(() => void refetch(), [refetch])
  // The browser may show an old copy of this page on "back": it must not offer to pay what is paid.
  useEffect(() => {
    const onShow = ({ persisted }: PageTransitionEvent): void => {
      if (persisted) reload()
    }
    window.addEventListener('pageshow', onShow)
    return () => window.removeEventListener('pageshow', onShow)
  }, [reload])
  if (booking.data) return <Booking booking={booking.data} reload={reload} />
  if (booking.isPending) return <Loading />
  const isUnknown = booking.error instanceof ApiError && [400, 403, 404].includes(booking.error.status)
  if (isUnknown)
    return <NotFoundPage heading={messages.booking.unknown} text={messages.booking.unknownText} />
  return <Failed error={booking.error} retry={reload} />
}

function Booking({ booking, reload }: { booking: BookingData; reload: () => void }): ReactNode {
  const { language, messages } = useLanguage()
  const arrivedByLink = useArrivedByLink()
  const state = bookingState(booking)
  const { status, text } = messages.booking
  const { holdExpiresAt } = booking
  const timeZone = useTours().data?.find(({ id }) => id === booking.tourId)?.timeZone
  useAnnouncement(`${status[state]}. ${text[state]}`)
  return (
    <article className="card booking" data-state={state}>
      <PageHeading takesFocus={arrivedByLink}>{messages.booking.heading}</PageHeading>
      <StatusPill state={state} />
      <p className="lead">{text[state]}</p>
      <Details
        facts={{
          [messages.payment.tour]: booking.tourName,
          [messages.booking.date]: formatDay(booking.date, language),
          [messages.booking.seats]: booking.seats,
          [messages.booking.price]: <strong className="price">{formatMoney(booking, language)}</strong>,
          [messages.booking.paidAt]: booking.paidAt && formatMoment(booking.paidAt, language, timeZone),
          [messages.booking.refundedAt]:
            booking.refundedAt && formatMoment(booking.refundedAt, language, timeZone),
          [messages.booking.heldUntil]: holdExpiresAt && formatMoment(holdExpiresAt, language, timeZone),
          [messages.booking.reference]: <Reference bookingId={booking.id} />,
        }}
      />
      {IS_PAYABLE[state] && <PayButton bookingId={booking.id} reload={reload} />}
      {HAS_RECEIPT[state] && (
        <div className="actions">
          <button className="button" type="button" onClick={() => window.print()}>
            <PrintIcon />
            {messages.booking.print}
          </button>
        </div>
      )}
    </article>
  )
}

function PayButton({ bookingId, reload }: { bookingId: string; reload: () => void }): ReactNode {
  const { language, messages } = useLanguage()
  const payment = useStartPayment(bookingId, language)
  const hasFailed = payment.error !== null
  // A refusal such as "already paid" means that the page shows an old booking.
  useEffect(() => {
    if (hasFailed) reload()
  }, [hasFailed, reload])
  return (
    <>
      {hasFailed && <ProblemNote error={payment.error} />}
      <div className="actions">
        <button
          className="button button-main button-wide"
          type="button"
          onClick={payment.start}
          disabled={payment.isBusy}
        >
          <LockIcon />
          {payment.isBusy ? messages.booking.busy : messages.booking.pay}
        </button>
        {stripeConfig().publishableKey !== '' && (
          <a className="button button-wide" href={paths.card(bookingId)}>
            {messages.booking.payByCard}
          </a>
        )}
      </div>
      <p className="fine">{messages.booking.payNote}</p>
    </>
  )
}
