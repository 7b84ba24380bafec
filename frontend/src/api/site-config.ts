export type SiteConfig = { readonly gatewayUrl: string; readonly bookingUrl: string }

/** Where the two services answer, as the server wrote it into the page. */
export const siteConfig: SiteConfig = {
  gatewayUrl: metaContent('passerelle-gateway-url'),
  bookingUrl: metaContent('passerelle-booking-url'),
}

/** What paying by card on this site needs; the key is empty where that is not offered. */
export function stripeConfig(): { readonly publishableKey: string; readonly scriptUrl: string } {
  return {
    publishableKey: metaContent('passerelle-stripe-key'),
    scriptUrl: metaContent('passerelle-stripe-js'),
  }
}

/** Whom payers write to, or null. */
export function supportEmail(): string | null {
  return metaContent('passerelle-support') || null
}

function metaContent(name: string): string {
  // On the server nothing is asked: pages are made of what is known.
  if (typeof document === 'undefined') return ''
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? ''
}
