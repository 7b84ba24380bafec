import type Stripe from 'stripe'
import type { Params } from './params.ts'
import { object, text } from './params.ts'

export const ADDRESS = object({
  city: text(),
  country: text(),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
})

export const SHIPPING = object({
  address: ADDRESS,
  carrier: text(),
  name: text(),
  phone: text(),
  tracking_number: text(),
})

type AddressAsked = ReturnType<typeof ADDRESS>
type ShippingAsked = Params<{
  readonly address: typeof ADDRESS
  readonly carrier: ReturnType<typeof text>
  readonly name: ReturnType<typeof text>
  readonly phone: ReturnType<typeof text>
  readonly tracking_number: ReturnType<typeof text>
}>

export const NO_ADDRESS: Stripe.Address = {
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
}

/** The address as it is shown; null when none was sent. */
export function addressOf(asked: AddressAsked | null | undefined): Stripe.Address | null {
  return asked ? { ...NO_ADDRESS, ...asked } : null
}

/** Where goods go, as a payment shows it; null when nothing was sent. */
export function shippingOf(asked: ShippingAsked | null | undefined): Stripe.PaymentIntent.Shipping | null {
  if (!asked) return null
  return {
    address: addressOf(asked.address) ?? NO_ADDRESS,
    carrier: asked.carrier ?? null,
    name: asked.name ?? '',
    phone: asked.phone ?? null,
    tracking_number: asked.tracking_number ?? null,
  }
}
