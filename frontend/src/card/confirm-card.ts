import type { Stripe, StripeElements, StripeError } from './stripe-js.ts'

export type Confirmable = {
  readonly stripe: Pick<Stripe, 'confirmPayment'>
  readonly elements: StripeElements
}

/**
 * Why the payment was refused, or null when it is on its way or nobody knows: the page that follows tells what became of
 * it. It never rejects: a form left waiting for ever would hide a payment that may have been made.
 */
export async function confirmCard(
  { stripe, elements }: Confirmable,
  returnUrl: string,
): Promise<StripeError | null> {
  try {
    const { error: wrongField } = await elements.submit()
    if (wrongField) return wrongField
    const { error } = await stripe.confirmPayment({
      elements,
      confirmParams: { return_url: returnUrl },
      redirect: 'if_required',
    })
    return error ?? null
  } catch {
    return null
  }
}
