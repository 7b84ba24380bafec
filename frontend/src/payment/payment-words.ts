import { formatMoney } from '@passerelle/contracts/money'
import { formatClock, formatDay } from '../language/dates.ts'
import type { Language } from '../language/language.ts'
import type { Messages } from '../language/messages.en.ts'
import type { PayerView } from '../payment-status/payer-view.ts'

export type Words = { readonly heading: string; readonly text: string; readonly advice?: string }

type Speech = {
  readonly language: Language
  readonly messages: Messages
  /** Until when an open session holds the seats, as an ISO time. */
  readonly heldUntil: string | null
  /** The venue's, where it is known: the same hour for every reader. */
  readonly timeZone: string
}

/** What the page says in this state. */
export function paymentWords(view: PayerView, speech: Speech): Words {
  const { payment } = speech.messages
  switch (view.kind) {
    case 'verifying':
      return payment.verifying
    case 'slow':
      return payment.slow
    case 'unfinished':
      return payment.unfinished
    case 'requires_action':
      return payment.requiresAction
    case 'offline':
      return payment.offline
    case 'unknown_link':
      return payment.unknownLink
    case 'other_device':
      return payment.otherDevice
    case 'paid':
      return payment.paid
    case 'already_paid':
      return alreadyPaidWords(view, speech)
    case 'booking_lost':
      return payment.bookingLost
    case 'processing':
      return processingWords(view, speech)
    case 'failed':
      return { ...payment.failed, advice: speech.messages.decline[view.reason] }
    case 'canceled':
      return canceledWords(speech)
    case 'released':
      return payment.released
    case 'expired':
      return payment.expired
    case 'refunded':
      return refundedWords(view, speech)
    default:
      return view satisfies never
  }
}

type Of<K extends PayerView['kind']> = Extract<PayerView, { kind: K }>

function alreadyPaidWords({ duplicate }: Of<'already_paid'>, { messages }: Speech): Words {
  const { heading, text, refunding, refunded } = messages.payment.alreadyPaid
  if (duplicate === 'refunding') return { heading, text: refunding }
  return { heading, text: duplicate === 'refunded' ? refunded : text }
}

function processingWords({ expectedBy }: Of<'processing'>, { language, messages }: Speech): Words {
  const { heading, text, textBy } = messages.payment.processing
  return { heading, text: expectedBy === null ? text : textBy(formatDay(expectedBy, language, 'long')) }
}

function canceledWords({ language, messages, heldUntil, timeZone }: Speech): Words {
  const { heading, text, heldUntil: textUntil } = messages.payment.canceled
  return { heading, text: heldUntil ? textUntil(formatClock(heldUntil, language, timeZone)) : text }
}

function refundedWords(view: Of<'refunded'>, { language, messages }: Speech): Words {
  const { heading, text, partHeading, partText } = messages.payment.refunded
  const amount = formatMoney({ amountMinor: view.refundedMinor, currency: view.currency }, language)
  return view.isFull ? { heading, text: text(amount) } : { heading: partHeading, text: partText(amount) }
}
