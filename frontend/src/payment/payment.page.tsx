import { useState } from 'react'
import type { ReactNode } from 'react'
import { siteConfig } from '../api/site-config.ts'
import { customerJwt } from '../customer/sign-in.ts'
import { useLanguage } from '../language/language-context.tsx'
import { IS_AT_REST, payerView } from '../payment-status/payer-view.ts'
import { newerOf } from '@passerelle/client/payment'
import type { Payment } from '@passerelle/client/payment'
import { usePaymentStatus } from '@passerelle/react'
import { useAnnouncement } from '../ui/announcer.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { Keepsakes } from './keepsakes.tsx'
import { PaymentActions } from './payment-actions.tsx'
import { PaymentMark, toneOf } from './payment-mark.tsx'
import { PaymentSteps } from './payment-steps.tsx'
import { paymentWords } from './payment-words.ts'
import { Subject, hasSubject } from './subject.tsx'
import { Support } from './support.tsx'
import { usePaidWith } from './use-paid-with.ts'
import { Receipt, hasReceipt } from './receipt.tsx'
import { useGiveUp } from './use-give-up.ts'
import { useTourOf } from './use-tour-of.ts'
import type { Landing } from './landing.ts'
import type { PayerView } from '../payment-status/payer-view.ts'

type Props = { readonly landing: Landing; readonly supportEmail: string | null }

/** Both of the lesson's return pages and the status link: where the payer learns what became of the payment. */
export function PaymentPage({ landing, supportEmail }: Props): ReactNode {
  const { bookingId } = landing
  const { snapshot, recheck } = useLandingStatus(landing)
  const giveUp = useGiveUp(bookingId, landing.sessionId)
  const payment = giveUp.payment ? newerOf(snapshot.payment, giveUp.payment) : snapshot.payment
  const view = payerView({
    ...snapshot,
    payment,
    arrival: landing.arrival,
    isNamed: bookingId !== null,
    hasGivenUp: giveUp.payment !== null,
  })
  const receipt = hasReceipt(view) ? view : null
  const isAboutTour = receipt !== null || hasSubject(view.kind)
  const tour = useTourOf(landing, isAboutTour)
  const paidWith = usePaidWith(landing, receipt !== null)
  const { language, messages } = useLanguage()
  const timeZone = tour?.timeZone ?? 'UTC'
  const words = paymentWords(view, { language, messages, heldUntil: landing.expiresAt, timeZone })
  useAnnouncement([words.heading, words.text, words.advice].filter(Boolean).join(' '))

  return (
    <article className={`payment tone-${toneOf(view.kind)}`} data-state={view.kind}>
      <div className="payment-status">
        <PaymentMark kind={view.kind} />
        <PageHeading takesFocus={IS_AT_REST[view.kind]}>{words.heading}</PageHeading>
        <p className="lead">{words.text}</p>
        {words.advice && <p className="advice">{words.advice}</p>}
        {payment && hasSubject(view.kind) && <Subject payment={payment} tour={tour} />}
        <PaymentSteps kind={view.kind} />
        <PaymentActions view={view} landing={landing} recheck={recheck} giveUp={giveUp} />
        {supportEmail && bookingId && (
          <Support email={supportEmail} bookingId={bookingId} isMasked={landing.isMasked} />
        )}
      </div>
      {receipt && bookingId && (
        <div className="payment-receipt">
          <Receipt view={receipt} landing={landing} tour={tour} paidWith={paidWith} />
          <Keepsakes
            landing={landing}
            receiptUrl={paidWith?.receiptUrl ?? null}
            // No seats, no day to put into a calendar.
            tour={view.kind === 'booking_lost' ? null : tour}
            isCancelled={isOver(receipt)}
            changed={changeOf(payment)}
          />
          {landing.isMasked && <p className="fine">{messages.payment.masked}</p>}
        </div>
      )}
    </article>
  )
}

function isOver(view: PayerView): boolean {
  return view.kind === 'booking_lost' || (view.kind === 'refunded' && view.isFull)
}

function changeOf(payment: Payment | null): { version: number; at: string } {
  return { version: payment?.version ?? 0, at: payment?.updatedAt ?? new Date(0).toISOString() }
}

function useLandingStatus(landing: Landing): ReturnType<typeof usePaymentStatus> {
  const { statusToken, isMasked } = landing
  // What the server knew belongs to the first paint alone.
  const [initial] = useState(landing.known)
  return usePaymentStatus(landing.bookingId, {
    gatewayUrl: siteConfig.gatewayUrl,
    sessionId: landing.arrival === 'success' ? landing.sessionId : null,
    verifies: landing.arrival === 'success',
    statusToken,
    initial,
    // Whoever holds only the link has no account here, and is not made one.
    ...(isMasked ? {} : { getJwt: customerJwt }),
  })
}
