import { renderCustomer, renderPrice, renderProduct } from './accounts/catalog.ts'
import { discountOf, renderCoupon, renderDiscount, renderPromotionCode } from './accounts/coupon.ts'
import { renderPaymentLink } from './accounts/payment-link.ts'
import { renderSource } from './accounts/source.ts'
import { renderSession } from './checkout/session.ts'
import { renderEvent } from './events/event.ts'
import { renderWebhookEndpoint } from './events/webhook-endpoint.ts'
import { renderBalanceTransaction } from './payments/balance.ts'
import { renderCashMovement } from './payments/cash-balance.ts'
import { renderCharge } from './payments/charge.ts'
import { renderDispute, renderWarning } from './payments/dispute.ts'
import { renderPaymentIntent } from './payments/payment-intent.ts'
import { renderPaymentMethod } from './payments/payment-method.ts'
import { renderPayout } from './payments/payout.ts'
import { renderRefund } from './payments/refund.ts'
import { renderSetupAttempt, renderSetupIntent } from './payments/setup-intent.ts'
import type { Records } from './store/records.ts'
import type { Reads } from './store/store.ts'

type Renderers = { readonly [N in keyof Records]?: (reads: Reads, record: Records[N]) => object }

/** One builder per resource: how each record looks in the API and in events. */
export const RENDERERS = {
  payment_methods: (_, record) => renderPaymentMethod(record),
  payment_intents: (reads, record) => renderPaymentIntent(record, reads.settings.publicUrl),
  charges: (reads, record) =>
    renderCharge(record, reads.get('payment_methods', record.paymentMethod), reads.settings.publicUrl),
  refunds: (_, record) => renderRefund(record),
  balance_transactions: (reads, record) => renderBalanceTransaction(record, reads.nowSeconds()),
  disputes: (reads, record) => renderDispute(reads, record),
  early_fraud_warnings: (reads, record) => renderWarning(reads, record),
  sessions: (reads, record) => renderSession(record, reads.settings.publicUrl),
  customers: (reads, record) => {
    const discount = discountOf(reads, record.id)
    return renderCustomer(record, discount ? renderDiscount(discount) : null)
  },
  products: (_, record) => renderProduct(record),
  prices: (_, record) => renderPrice(record),
  coupons: (reads, record) => renderCoupon(record, reads.nowSeconds()),
  promotion_codes: (reads, record) => renderPromotionCode(reads, record),
  discounts: (_, record) => renderDiscount(record),
  payment_links: (reads, record) => renderPaymentLink(reads, record),
  setup_intents: (reads, record) => renderSetupIntent(reads, record),
  setup_attempts: (reads, record) => renderSetupAttempt(reads, record),
  payouts: (_, record) => renderPayout(record),
  cash_movements: (_, record) => renderCashMovement(record),
  sources: (_, record) => renderSource(record),
  events: (reads, record) => renderEvent(reads, record),
  webhook_endpoints: (_, record) => renderWebhookEndpoint(record),
} satisfies Renderers

export type ResourceTable = keyof typeof RENDERERS

export function render<N extends ResourceTable>(
  reads: Reads,
  table: N,
  record: Records[N],
): ReturnType<(typeof RENDERERS)[N]> {
  const renderer = RENDERERS[table] as unknown as (
    reads: Reads,
    record: Records[N],
  ) => ReturnType<(typeof RENDERERS)[N]>
  return renderer(reads, record)
}
