import type Stripe from 'stripe'
import type { Params } from '../http/params.ts'
import { changeMetadata, choice, flag, metadata, object, only, text } from '../http/params.ts'
import type { SessionRecord } from '../store/records.ts'

// What a Checkout Session and a payment link may both say.

const CUSTOM_TEXT = object({
  after_submit: object({ message: text(1200) }),
  submit: object({ message: text(1200) }),
})

export const PAGE = {
  allow_promotion_codes: flag(),
  automatic_tax: object({ enabled: only(flag(), false) }),
  billing_address_collection: only(choice('auto', 'required'), 'auto'),
  custom_text: CUSTOM_TEXT,
  customer_creation: choice('always', 'if_required'),
  invoice_creation: object({ enabled: only(flag(), false) }),
  metadata: metadata(),
  phone_number_collection: object({ enabled: only(flag(), false) }),
  submit_type: choice('auto', 'book', 'donate', 'pay', 'subscribe'),
  tax_id_collection: object({ enabled: only(flag(), false), required: only(text(), 'never') }),
}

/** What the PaymentIntent of a payment through the page will be. */
export const INTENT_DATA = {
  capture_method: choice('automatic', 'automatic_async', 'manual'),
  description: text(1000),
  metadata: metadata(),
  setup_future_usage: choice('off_session', 'on_session'),
  statement_descriptor: text(22),
  statement_descriptor_suffix: text(22),
  transfer_group: text(),
}

/** A quantity that the payer may change, which the page cannot offer. */
export const FIXED_QUANTITY = object({ enabled: only(flag(), false) })

export function customTextOf(asked: ReturnType<typeof CUSTOM_TEXT>): Stripe.Checkout.Session.CustomText {
  const message = (part: { message?: string | null } | null | undefined) =>
    part?.message ? { message: part.message } : null
  return {
    after_submit: message(asked.after_submit),
    shipping_address: null,
    submit: message(asked.submit),
    terms_of_service_acceptance: null,
  }
}

export function intentDataOf(data: Params<typeof INTENT_DATA>): SessionRecord['paymentIntentData'] {
  return {
    metadata: changeMetadata({}, data.metadata),
    captureMethod: data.capture_method ?? 'automatic_async',
    description: data.description ?? null,
    receiptEmail: null,
    setupFutureUsage: data.setup_future_usage ?? null,
    statementDescriptor: data.statement_descriptor ?? null,
    statementDescriptorSuffix: data.statement_descriptor_suffix ?? null,
    transferGroup: data.transfer_group ?? null,
  }
}
