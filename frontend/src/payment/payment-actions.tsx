import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { PrintIcon } from '../ui/icons.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { useStartPayment } from './use-start-payment.ts'
import type { PayerView } from '../payment-status/payer-view.ts'
import type { GiveUp } from './use-give-up.ts'

type Props = {
  readonly view: PayerView
  readonly bookingId: string | null
  readonly recheck: () => void
  readonly giveUp: GiveUp
}

type PayLabel = 'tryAgain' | 'resume'

/** What the payer can do next in this state. */
export function PaymentActions({ view, bookingId, recheck, giveUp }: Props): ReactNode {
  if (!bookingId) return <ToursLink />
  switch (view.kind) {
    case 'verifying':
      return null
    case 'slow':
    case 'offline':
      return <CheckAgain recheck={recheck} bookingId={bookingId} />
    case 'unfinished':
      return <PayAgain bookingId={bookingId} label="resume" />
    case 'unknown_link':
    case 'released':
      return <ToursLink />
    case 'paid':
    case 'already_paid':
    case 'refunded':
      return <AfterPayment bookingId={bookingId} />
    case 'processing':
      return <BookingLink bookingId={bookingId} isMain />
    case 'failed':
      if (!view.retryable) return <BookingLink bookingId={bookingId} isMain />
      if (view.mayGiveUp) return <PayOrGiveUp bookingId={bookingId} label="tryAgain" giveUp={giveUp} />
      return <PayAgain bookingId={bookingId} />
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

function BookingLink(props: { bookingId: string; isMain?: boolean }): ReactNode {
  return (
    <div className="actions">
      <BookingAnchor {...props} />
    </div>
  )
}

function CheckAgain({ recheck, bookingId }: { recheck: () => void; bookingId: string }): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="actions">
      <button className="button button-main" type="button" onClick={recheck}>
        {messages.payment.checkAgain}
      </button>
      <BookingAnchor bookingId={bookingId} />
    </div>
  )
}

function AfterPayment({ bookingId }: { bookingId: string }): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="actions">
      <BookingAnchor bookingId={bookingId} isMain />
      <button className="button" type="button" onClick={() => window.print()}>
        <PrintIcon />
        {messages.payment.print}
      </button>
    </div>
  )
}

function PayAgain({ bookingId, label = 'tryAgain' }: { bookingId: string; label?: PayLabel }): ReactNode {
  const { messages } = useLanguage()
  const payment = useStartPayment(bookingId)
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
  const { messages } = useLanguage()
  const payment = useStartPayment(bookingId)
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
