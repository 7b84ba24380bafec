import { formatMoney } from '@passerelle/contracts/money'
import type { ReactNode } from 'react'
import { formatDay, formatMoment } from '../language/dates.ts'
import { useLanguage } from '../language/language-context.tsx'
import { Details } from '../ui/details.tsx'
import { Reference } from '../ui/reference.tsx'
import type { PayerView } from '../payment-status/payer-view.ts'
import { meansName } from './means-of-payment.ts'
import type { PaidWith } from '../api/gateway.client.ts'
import type { KeptTour, Landing } from './landing.ts'

/** The states that have something to show in black and white. */
export type ReceiptView = Extract<PayerView, { readonly paidAt: string | null }>

export function hasReceipt(view: PayerView): view is ReceiptView {
  return 'paidAt' in view
}

type Props = {
  readonly view: ReceiptView
  readonly landing: Pick<Landing, 'bookingId' | 'isMasked'>
  readonly tour: KeptTour | null
  /** For the owner, once it is read. */
  readonly paidWith: PaidWith | null
}

/** What was paid for, as a ticket. Where the venue is not known, times are in UTC, and say so. */
export function Receipt({ view, landing, tour, paidWith }: Props): ReactNode {
  const { language, messages } = useLanguage()
  const labels = messages.payment
  const timeZone = tour?.timeZone ?? 'UTC'
  const refund = view.kind === 'refunded' ? view : null
  return (
    <section className="ticket" aria-label={labels.receipt}>
      <div className="ticket-head">
        <p className="ticket-title">{tour?.name ?? labels.receipt}</p>
        {tour && <p className="ticket-day">{formatDay(tour.date, language)}</p>}
      </div>
      <Details
        facts={{
          [messages.booking.seats]: tour?.seats,
          [labels.paidAt]: view.paidAt && formatMoment(view.paidAt, language, timeZone),
          [labels.paidWith]: paidWith && <Means paidWith={paidWith} />,
          [labels.refundedAt]: refund?.refundedAt && formatMoment(refund.refundedAt, language, timeZone),
          [labels.refundedAmount]:
            refund && formatMoney({ amountMinor: refund.refundedMinor, currency: refund.currency }, language),
          [messages.booking.reference]: landing.bookingId && (
            <Reference bookingId={landing.bookingId} isMasked={landing.isMasked} />
          ),
        }}
      />
      <p className="ticket-total">
        <span>{labels.amount}</span>
        <strong>{formatMoney(view, language)}</strong>
      </p>
    </section>
  )
}

/** The card as everybody writes it, and as it is read out. */
function Means({ paidWith }: { paidWith: PaidWith }): ReactNode {
  const { messages } = useLanguage()
  const { last4 } = paidWith
  const name = meansName(paidWith) ?? messages.payment.card
  if (last4 === null) return name
  return (
    <>
      {name} <span aria-hidden="true">••••</span>
      <span className="visually-hidden">{messages.payment.endingIn}</span> {last4}
    </>
  )
}
