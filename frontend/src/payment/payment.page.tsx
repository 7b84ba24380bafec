import { useState } from 'react'
import type { ReactNode } from 'react'
import { siteConfig } from '../api/site-config.ts'
import { customerJwt } from '../customer/sign-in.ts'
import { useLanguage } from '../language/language-context.tsx'
import { IS_AT_REST, payerView } from '../payment-status/payer-view.ts'
import { newerOf } from '@passerelle/client/payment'
import { usePaymentStatus } from '@passerelle/react'
import { useAnnouncement } from '../ui/announcer.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { keptSession } from './kept-session.ts'
import { PaymentActions } from './payment-actions.tsx'
import { PaymentMark } from './payment-mark.tsx'
import { paymentWords } from './payment-words.ts'
import { Receipt } from './receipt.tsx'
import { useGiveUp } from './use-give-up.ts'
import type { KeptSession } from './kept-session.ts'
import type { Landing } from './landing.ts'

/** Both of the lesson's return pages: where the payer learns what became of the payment. */
export function PaymentPage({ landing }: { landing: Landing }): ReactNode {
  const { bookingId } = landing
  const [kept] = useState(() => (bookingId ? keptSession(sessionStorage, bookingId) : null))
  const { snapshot, recheck } = useLandingStatus(landing, kept)
  const giveUp = useGiveUp(bookingId, kept)
  const view = payerView({
    ...snapshot,
    payment: giveUp.payment ? newerOf(snapshot.payment, giveUp.payment) : snapshot.payment,
    arrival: landing.arrival,
    hasGivenUp: giveUp.payment !== null,
  })
  const { language, messages } = useLanguage()
  const words = paymentWords(view, { language, messages, heldUntil: kept?.expiresAt ?? null })
  useAnnouncement([words.heading, words.text, words.advice].filter(Boolean).join(' '))

  return (
    <article className="card status-card" data-state={view.kind}>
      <PaymentMark kind={view.kind} />
      <PageHeading takesFocus={IS_AT_REST[view.kind]}>{words.heading}</PageHeading>
      <p className="lead">{words.text}</p>
      {words.advice && <p className="advice">{words.advice}</p>}
      {bookingId && (view.kind === 'paid' || view.kind === 'already_paid' || view.kind === 'refunded') && (
        <Receipt bookingId={bookingId} received={view} />
      )}
      <PaymentActions view={view} bookingId={bookingId} recheck={recheck} giveUp={giveUp} />
    </article>
  )
}

function useLandingStatus(landing: Landing, kept: KeptSession | null): ReturnType<typeof usePaymentStatus> {
  // The token opens the payment of the session that this tab began; another session's needs its owner's JWT.
  const isKeptSession = kept !== null && (landing.sessionId === null || landing.sessionId === kept.sessionId)
  return usePaymentStatus(landing.bookingId, {
    gatewayUrl: siteConfig.gatewayUrl,
    sessionId: landing.arrival === 'success' ? landing.sessionId : null,
    statusToken: isKeptSession ? kept.statusToken : null,
    getJwt: customerJwt,
  })
}
