import { formatMoney } from '@passerelle/contracts/money'
import { formatClock } from '../language/dates.ts'
import type { Language } from '../language/language.ts'
import type { Messages } from '../language/messages.en.ts'
import type { PayerView } from '../payment-status/payer-view.ts'

export type Words = { readonly heading: string; readonly text: string; readonly advice?: string }

type Speech = {
  readonly language: Language
  readonly messages: Messages
  /** Until when an open session holds the seats, as an ISO time. */
  readonly heldUntil: string | null
}

/** What the page says in this state. */
export function paymentWords(view: PayerView, { language, messages, heldUntil }: Speech): Words {
  const { payment } = messages
  switch (view.kind) {
    case 'verifying':
      return payment.verifying
    case 'slow':
      return payment.slow
    case 'unfinished':
      return payment.unfinished
    case 'offline':
      return payment.offline
    case 'unknown_link':
      return payment.unknownLink
    case 'paid':
      return payment.paid
    case 'already_paid':
      return payment.alreadyPaid
    case 'processing':
      return payment.processing
    case 'failed':
      return { ...payment.failed, advice: messages.decline[view.reason] }
    case 'canceled': {
      const { heading, text, heldUntil: textUntil } = payment.canceled
      return { heading, text: heldUntil ? textUntil(formatClock(heldUntil, language)) : text }
    }
    case 'released':
      return payment.released
    case 'expired':
      return payment.expired
    case 'refunded': {
      const { heading, text, partHeading, partText } = payment.refunded
      const amount = formatMoney({ amountMinor: view.refundedMinor, currency: view.currency }, language)
      return view.isFull ? { heading, text: text(amount) } : { heading: partHeading, text: partText(amount) }
    }
    default:
      return view satisfies never
  }
}
