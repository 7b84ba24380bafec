import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useStartPayment } from './use-start-payment.ts'
import { RETRY_OF } from '../payment-status/decline.ts'
import type { PayerView } from '../payment-status/payer-view.ts'
import type { Landing } from './landing.ts'
import type { GiveUp } from './use-give-up.ts'

type Props = {
  readonly view: PayerView
  readonly landing: Pick<Landing, 'bookingId' | 'isMasked'>
  readonly recheck: () => void
  readonly giveUp: GiveUp
}

type PayLabel = 'tryAgain' | 'otherCard' | 'tryLater' | 'resume' | 'approve'

/** What the payer can do next in this state. Whoever holds only a link can look, and look again. */
export function PaymentActions({ view, landing, recheck, giveUp }: Props): ReactNode {
  const { bookingId, isMasked } = landing
  if (!bookingId) return <ToursLink />
  if (isMasked) return <CheckAgain recheck={recheck} bookingId={null} view={view} />
  switch (view.kind) {
    case 'verifying':
      return null
    case 'slow':
    case 'offline':
      return <CheckAgain recheck={recheck} bookingId={bookingId} view={view} />
    case 'unfinished':
      return <PayAgain bookingId={bookingId} label="resume" />
    case 'requires_action':
      return <PayOrGiveUp bookingId={bookingId} label="approve" giveUp={giveUp} />
    case 'unknown_link':
    case 'other_device':
    case 'released':
      return <ToursLink />
    case 'paid':
    case 'already_paid':
    case 'booking_lost':
    case 'refunded':
    case 'processing':
      return <BookingLink bookingId={bookingId} />
    case 'failed':
      if (!view.retryable) return <BookingLink bookingId={bookingId} />
      if (view.mayGiveUp)
        return <PayOrGiveUp bookingId={bookingId} label={RETRY_OF[view.reason]} giveUp={giveUp} />
      return <PayAgain bookingId={bookingId} label={RETRY_OF[view.reason]} />
    case 'expired':
      return <PayAgain bookingId={bookingId} />
    case 'canceled':
      return <PayOrGiveUp bookingId={bookingId} label="resume" giveUp={giveUp} />
    default:
      return view satisfies never
  }
}

function ToursLink(): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="actions">
      <a className="button button-main" href={paths.tours()}>
        {messages.site.allTours}
      </a>
    </div>
  )
}

function BookingAnchor({ bookingId, isMain = false }: { bookingId: string; isMain?: boolean }): ReactNode {
  const { messages } = useLanguage()
  return (
    <a className={isMain ? 'button button-main' : 'button'} href={paths.booking(bookingId)}>
      {messages.payment.viewBooking}
    </a>
  )
}

function BookingLink({ bookingId }: { bookingId: string }): ReactNode {
  return (
    <div className="actions">
      <BookingAnchor bookingId={bookingId} isMain />
    </div>
  )
}

// Where nothing more happens by itself, asking again is of no use.
const MAY_CHANGE: ReadonlySet<PayerView['kind']> = new Set(['verifying', 'slow', 'offline', 'unfinished'])

type CheckAgainProps = {
  readonly recheck: () => void
  readonly bookingId: string | null
  readonly view: PayerView
}

function CheckAgain({ recheck, bookingId, view }: CheckAgainProps): ReactNode {
  const { messages } = useLanguage()
  if (!MAY_CHANGE.has(view.kind)) return null
  return (
    <div className="actions">
      <button className="button button-main" type="button" onClick={recheck}>
        {messages.payment.checkAgain}
      </button>
      {bookingId && <BookingAnchor bookingId={bookingId} />}
    </div>
  )
}

function PayAgain({ bookingId, label = 'tryAgain' }: { bookingId: string; label?: PayLabel }): ReactNode {
  const { language, messages } = useLanguage()
  const payment = useStartPayment(bookingId, language)
  return (
    <>
      {payment.error !== null && <ProblemNote error={payment.error} />}
      <div className="actions">
        <button
          className="button button-main"
          type="button"
          onClick={payment.start}
          disabled={payment.isBusy}
        >
          {payment.isBusy ? messages.booking.busy : messages.payment[label]}
        </button>
        <BookingAnchor bookingId={bookingId} />
      </div>
    </>
  )
}

type PayOrGiveUpProps = { readonly bookingId: string; readonly label: PayLabel; readonly giveUp: GiveUp }

function PayOrGiveUp({ bookingId, label, giveUp }: PayOrGiveUpProps): ReactNode {
  const { language, messages } = useLanguage()
  const payment = useStartPayment(bookingId, language)
  const error = payment.error ?? giveUp.error
  const isBusy = payment.isBusy || giveUp.isBusy
  return (
    <>
      {error !== null && <ProblemNote error={error} />}
      <div className="actions">
        <button className="button button-main" type="button" onClick={payment.start} disabled={isBusy}>
          {payment.isBusy ? messages.booking.busy : messages.payment[label]}
        </button>
        <button className="button" type="button" onClick={giveUp.run} disabled={isBusy}>
          {giveUp.isBusy ? messages.payment.givingUp : messages.payment.giveUp}
        </button>
      </div>
    </>
  )
}
