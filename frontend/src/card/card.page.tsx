import { formatMoney } from '@passerelle/contracts/money'
import { useEffect, useRef } from 'react'
import type { FormEvent, ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { useAnnouncement } from '../ui/announcer.tsx'
import { BackIcon, LockIcon } from '../ui/icons.tsx'
import { Loading } from '../ui/loading.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { ProblemNote } from '../ui/problem-note.tsx'
import { formatDay } from '../language/dates.ts'
import { useCardPayment } from './use-card-payment.ts'
import type { CardPayment, Opened } from './use-card-payment.ts'

/** Pays a booking by card without leaving the site. The card's fields are a frame of Stripe's: nothing of them is seen here. */
export function CardPage({ bookingId }: { bookingId: string }): ReactNode {
  const { language, messages } = useLanguage()
  const payment = useCardPayment(bookingId, language)
  return (
    <>
      <p className="back">
        <a href={paths.booking(bookingId)}>
          <BackIcon />
          {messages.payment.viewBooking}
        </a>
      </p>
      <article className="card card-payment" data-state={payment.state.kind}>
        <PageHeading>{messages.card.heading}</PageHeading>
        <p className="lead">{messages.card.text}</p>
        <Body payment={payment} />
        <p className="fine">
          <LockIcon /> {messages.card.note}
        </p>
      </article>
    </>
  )
}

function Body({ payment }: { payment: CardPayment }): ReactNode {
  const { messages } = useLanguage()
  const { state } = payment
  if (state.kind === 'opening') return <Loading />
  if (state.kind === 'broken')
    return (
      <>
        <ProblemNote error={state.error} />
        <div className="actions">
          <button className="button button-main" type="button" onClick={payment.open}>
            {messages.site.reload}
          </button>
        </div>
      </>
    )
  return <CardForm payment={payment} opened={state.opened} isBusy={state.kind === 'paying'} />
}

type FormProps = { readonly payment: CardPayment; readonly opened: Opened; readonly isBusy: boolean }

function CardForm({ payment, opened, isBusy }: FormProps): ReactNode {
  const { language, messages } = useLanguage()
  const frame = useRef<HTMLDivElement>(null)
  const { refusal } = payment
  const { element, tour } = opened
  useEffect(() => {
    if (frame.current) element.mount(frame.current)
  }, [element])
  useAnnouncement(isBusy ? messages.card.busy : '')
  const pay = (event: FormEvent): void => {
    event.preventDefault()
    if (!isBusy) payment.pay()
  }
  return (
    <form className="card-form" onSubmit={pay}>
      {tour && (
        <p className="card-tour">
          <strong>{tour.name}</strong>
          <span>{formatDay(tour.date, language)}</span>
        </p>
      )}
      <div className="card-frame" ref={frame} />
      {refusal && (
        <div className="problem" role="alert">
          <p>{messages.payment.failed.text}</p>
          <p>{messages.decline[refusal]}</p>
        </div>
      )}
      <button className="button button-main button-wide" type="submit" disabled={isBusy}>
        <LockIcon />
        {isBusy ? messages.card.busy : messages.card.pay(formatMoney(opened, language))}
      </button>
    </form>
  )
}
