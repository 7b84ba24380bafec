import { formatMoney } from '@passerelle/contracts/money'
import type { Payment } from '@passerelle/client/payment'
import type { ReactNode } from 'react'
import { formatDay } from '../language/dates.ts'
import { useLanguage } from '../language/language-context.tsx'
import type { PayerView } from '../payment-status/payer-view.ts'
import { shortReference } from '../ui/reference.tsx'
import type { KeptTour } from './landing.ts'

// Where a receipt says it all, where nothing is known, or where nothing is wanted any more, there is no subject.
const HAS_SUBJECT: Record<PayerView['kind'], boolean> = {
  verifying: true,
  slow: true,
  unfinished: true,
  requires_action: true,
  offline: false,
  unknown_link: false,
  other_device: false,
  paid: false,
  already_paid: false,
  booking_lost: false,
  processing: true,
  failed: true,
  canceled: true,
  released: false,
  expired: true,
  refunded: false,
}

export function hasSubject(kind: PayerView['kind']): boolean {
  return HAS_SUBJECT[kind]
}

/** What is being paid for, and how much it is. Without the tour, as on a masked page, the short reference stands for it. */
export function Subject({ payment, tour }: { payment: Payment; tour: KeptTour | null }): ReactNode {
  const { language, messages } = useLanguage()
  return (
    <div className="subject">
      <p>
        <strong>{tour?.name ?? shortReference(payment.bookingId)}</strong>
        {tour ? (
          <>
            <span>{formatDay(tour.date, language)}</span>
            <span>{messages.bookings.seats(tour.seats)}</span>
          </>
        ) : (
          <span>{messages.booking.reference}</span>
        )}
      </p>
      <p className="subject-amount">{formatMoney(payment, language)}</p>
    </div>
  )
}
