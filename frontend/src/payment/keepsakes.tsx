import { useState } from 'react'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { CalendarIcon, LinkIcon, PrintIcon, ReceiptIcon } from '../ui/icons.tsx'
import { calendarFile } from './calendar-file.ts'
import type { KeptTour, Landing } from './landing.ts'

type Props = {
  readonly landing: Landing
  readonly tour: KeptTour | null
  /** Stripe's own receipt, where this page may know it. */
  readonly receiptUrl: string | null
  readonly isCancelled: boolean
  readonly changed: { readonly version: number; readonly at: string }
}

/** What the payer takes along: the receipt on paper, the day in the calendar, the link for another device. */
export function Keepsakes({ landing, tour, receiptUrl, isCancelled, changed }: Props): ReactNode {
  const { messages } = useLanguage()
  const { bookingId, statusToken } = landing
  return (
    <div className="keepsakes">
      {tour && bookingId && <CalendarButton {...{ bookingId, tour, isCancelled, changed }} />}
      <button className="keepsake" type="button" onClick={() => window.print()}>
        <PrintIcon />
        {messages.payment.print}
      </button>
      {receiptUrl !== null && (
        <a className="keepsake" href={receiptUrl} target="_blank" rel="noopener noreferrer">
          <ReceiptIcon />
          {messages.payment.stripeReceipt}
        </a>
      )}
      {statusToken && <CopyLink statusToken={statusToken} />}
    </div>
  )
}

type CalendarProps = Pick<Props, 'isCancelled' | 'changed'> & {
  readonly bookingId: string
  readonly tour: KeptTour
}

function CalendarButton({ bookingId, tour, isCancelled, changed }: CalendarProps): ReactNode {
  const { messages } = useLanguage()
  const save = (): void => {
    const text = calendarFile({
      bookingId,
      tour,
      isCancelled,
      description: messages.payment.calendarText(messages.bookings.seats(tour.seats), bookingId),
      url: new URL(paths.booking(bookingId), window.location.href).href,
      version: changed.version,
      changedAt: changed.at,
    })
    download(new Blob([text], { type: 'text/calendar;charset=utf-8' }), `${tour.date}.ics`)
  }
  return (
    <button className="keepsake" type="button" onClick={save}>
      <CalendarIcon />
      {messages.payment.calendar}
    </button>
  )
}

function download(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}

/** The link carries the token, so it is made only for whoever asks for it, and never shown. */
function CopyLink({ statusToken }: { statusToken: string }): ReactNode {
  const { messages } = useLanguage()
  const [isCopied, setIsCopied] = useState(false)
  const copy = async (): Promise<void> => {
    const link = new URL(paths.statusLink(statusToken), window.location.href).href
    try {
      await navigator.clipboard.writeText(link)
      setIsCopied(true)
    } catch {
      // No clipboard for pages without https: the payer copies by hand.
      window.prompt(messages.payment.copyLink, link)
    }
  }
  return (
    <button className="keepsake" type="button" onClick={() => void copy()}>
      <LinkIcon />
      <span aria-live="polite">{isCopied ? messages.payment.copied : messages.payment.copyLink}</span>
    </button>
  )
}
