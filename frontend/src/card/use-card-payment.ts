import { useCallback, useEffect, useState } from 'react'
import { ApiError } from '@passerelle/client/request'
import { createPayment } from '../api/gateway.client.ts'
import { stripeConfig } from '../api/site-config.ts'
import { keepAccess } from '../payment/kept-session.ts'
import { readTour } from '../payment/use-tour-of.ts'
import { paymentPatterns } from '../paths.ts'
import { adviceOf, declineReason } from '../payment-status/decline.ts'
import { confirmCard } from './confirm-card.ts'
import { loadStripe } from './stripe-js.ts'
import type { Language } from '../language/language.ts'
import type { DeclineReason } from '../payment-status/decline.ts'
import type { KeptTour } from '../payment/landing.ts'
import type { Stripe, StripeElement, StripeElements } from './stripe-js.ts'

/** A payment whose card fields can be shown. */
export type Opened = {
  readonly stripe: Stripe
  readonly elements: StripeElements
  readonly element: StripeElement
  readonly tour: KeptTour | null
  readonly amountMinor: number
  readonly currency: string
}

type State =
  | { readonly kind: 'opening' }
  | { readonly kind: 'broken'; readonly error: unknown }
  | { readonly kind: 'ready' | 'paying'; readonly opened: Opened }

export type CardPayment = {
  readonly state: State
  /** Why the last try was refused: only what the payer can act on. */
  readonly refusal: DeclineReason | null
  readonly open: () => void
  readonly pay: () => void
}

/** Opens the booking's PaymentIntent, and confirms it with the card in Stripe's frame. A refused card may be tried again. */
export function useCardPayment(bookingId: string, language: Language): CardPayment {
  const [state, setState] = useState<State>({ kind: 'opening' })
  const [refusal, setRefusal] = useState<DeclineReason | null>(null)

  const start = useCallback(() => {
    openPayment(bookingId, language).then(
      (opened) => setState({ kind: 'ready', opened }),
      (error: unknown) => {
        if (isPaidAlready(error)) leave(bookingId)
        else setState({ kind: 'broken', error })
      },
    )
  }, [bookingId, language])
  useEffect(start, [start])
  const open = (): void => {
    setState({ kind: 'opening' })
    start()
  }

  const pay = (): void => {
    if (state.kind !== 'ready') return
    const { opened } = state
    setRefusal(null)
    setState({ kind: 'paying', opened })
    void confirmCard(opened, returnUrl(bookingId)).then((error) => {
      if (error === null) return leave(bookingId)
      setState({ kind: 'ready', opened })
      // What is wrong with a field, Stripe's frame says beside it.
      if (error.type !== 'validation_error')
        setRefusal(declineReason(error.decline_code ?? error.code ?? null, adviceOf(error.advice_code)))
    })
  }
  return { state, refusal, open, pay }
}

async function openPayment(bookingId: string, language: Language): Promise<Opened> {
  const [stripe, payment, tour] = await Promise.all([
    loadStripe(stripeConfig()),
    createPayment(bookingId),
    readTour(bookingId),
  ])
  const { clientSecret, statusToken, amountMinor, currency } = payment
  await keepAccess({ bookingId, sessionId: null, statusToken, expiresAt: null, tour })
  const isDark = window.matchMedia('(prefers-color-scheme: dark)').matches
  const elements = stripe.elements({
    clientSecret,
    locale: language,
    appearance: { theme: isDark ? 'night' : 'stripe' },
  })
  return { stripe, elements, element: elements.create('payment'), tour, amountMinor, currency }
}

function returnUrl(bookingId: string): string {
  const url = new URL(paymentPatterns.success, window.location.href)
  url.searchParams.set('booking_id', bookingId)
  return url.href
}

/** Replaced, not added: going back must not lead to a form that could pay again. */
function leave(bookingId: string): void {
  window.location.replace(returnUrl(bookingId))
}

function isPaidAlready(error: unknown): boolean {
  return error instanceof ApiError && ['BOOKING_ALREADY_PAID', 'PAYMENT_IN_PROGRESS'].includes(error.code)
}
