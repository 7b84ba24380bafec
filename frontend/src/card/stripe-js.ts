// The part of Stripe.js that this page uses (docs.stripe.com/js). The script comes from Stripe, or from the sandbox.

export type StripeError = {
  readonly type: string
  readonly code?: string
  readonly decline_code?: string
  readonly advice_code?: string
  readonly message?: string
}

export type StripeElement = {
  readonly mount: (target: HTMLElement) => void
  readonly destroy: () => void
  readonly on: (event: 'ready' | 'loaderror', listener: () => void) => void
}

export type StripeElements = {
  readonly create: (type: 'payment', options?: object) => StripeElement
  readonly submit: () => Promise<{ readonly error?: StripeError }>
}

export type Stripe = {
  readonly elements: (options: {
    readonly clientSecret: string
    readonly locale: string
    readonly appearance: { readonly theme: 'stripe' | 'night' }
  }) => StripeElements
  readonly confirmPayment: (options: {
    readonly elements: StripeElements
    readonly confirmParams: { readonly return_url: string }
    readonly redirect: 'if_required'
  }) => Promise<{ readonly error?: StripeError }>
}

declare global {
  interface Window {
    Stripe?: (publishableKey: string) => Stripe
  }
}

type Config = { readonly publishableKey: string; readonly scriptUrl: string }

/** Stripe.js, loaded once. Rejects when it cannot be had: an address that is blocked, or no network. */
export async function loadStripe({ publishableKey, scriptUrl }: Config): Promise<Stripe> {
  if (!window.Stripe) await loadScript(scriptUrl)
  if (!window.Stripe) throw new Error('Stripe.js did not start')
  return window.Stripe(publishableKey)
}

function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = url
    script.addEventListener('load', () => resolve())
    script.addEventListener('error', () => {
      script.remove()
      reject(new Error('Stripe.js could not be loaded'))
    })
    document.head.append(script)
  })
}
