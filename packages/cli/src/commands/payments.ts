import type { AdminPaymentView, PaymentDetail, TimelineEntry } from '@passerelle/contracts/admin'
import { toDecimalText } from '@passerelle/contracts/money'
import type { Call, Command } from '../command.ts'
import { CommandError } from '../errors.ts'
import { details, moment, shown, table } from '../table.ts'
import { countOf, idOf, more, wordsOf } from './words.ts'

export const payments: Command = {
  does: 'payments; `show`, by any id of theirs or of Stripe’s, tells all that happened to one',
  usage: [
    'payments [--status pending|succeeded|…] [--booking <id>] [--limit 20]',
    'payments show <pay_… | bkg_… | cs_… | pi_… | ch_… | re_… | du_… | evt_… | dlv_…>',
  ],
  options: ['status', 'booking', 'limit'],
  run: async (call) => {
    const [verb, id] = wordsOf(call, 2)
    if (verb === undefined) return listPayments(call)
    return showPayment(call, verb === 'show' ? id : verb)
  },
}

async function listPayments({ gateway, options, print, paint }: Call): Promise<void> {
  const query = { status: options.status, bookingId: options.booking }
  const page = await gateway.list<AdminPaymentView>('/payments', query, countOf(options.limit))
  if (options.json) return print(JSON.stringify(page.items, null, 2))
  const rows = page.items.map((payment) => [
    moment(payment.createdAt),
    payment.paymentId,
    payment.bookingId,
    payment.status,
    money(payment.amountMinor, payment.currency),
    payment.announced ?? '–',
  ])
  print(
    table(['opened', 'payment', 'booking', 'status', 'amount', 'told'], rows, paint) +
      more(page.nextCursor, rows.length),
  )
}

async function showPayment(call: Call, word: string | undefined): Promise<void> {
  const { gateway, options, print, paint } = call
  const id = await paymentIdOf(call, word)
  const payment = await gateway.get<PaymentDetail>(`/payments/${id}`)
  if (options.json) return print(JSON.stringify(payment, null, 2))
  const { timeline, timelineComplete, amountMinor, capturedMinor, refundedAmountMinor, ...rest } = payment
  const { amount: _amount, currency, ...shown } = rest
  const sums = {
    amount: money(amountMinor, currency),
    captured: money(capturedMinor, currency),
    refunded: money(refundedAmountMinor, currency),
  }
  print(details({ ...shown, ...sums }, paint))
  print('')
  if (!timelineComplete) print(paint('dim', '… older entries are left out'))
  for (const entry of timeline) print(timelineLine(entry, paint))
}

function timelineLine({ at, kind, what }: TimelineEntry, paint: Call['paint']): string {
  return `${moment(at)}${at.slice(19, 23)}  ${paint('dim', kind.padEnd(16))}  ${shown(what)}`
}

/** The payment behind any id that a person may have at hand. */
async function paymentIdOf({ gateway }: Call, word: string | undefined): Promise<string> {
  const id = idOf(word, 'the payment by any of its ids: pay_…, bkg_…, cs_…, pi_…')
  if (word?.startsWith('pay_')) return id
  const { items } = await gateway.list<AdminPaymentView>('/payments', { q: word }, 2)
  const [found] = items
  if (found === undefined) throw new CommandError(`No payment has to do with ${word ?? ''}.`)
  return found.paymentId
}

function money(amountMinor: number, currency: string): string {
  return `${toDecimalText({ amountMinor, currency })} ${currency}`
}
