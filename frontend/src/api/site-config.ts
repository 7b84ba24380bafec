export type SiteConfig = { readonly gatewayUrl: string; readonly bookingUrl: string }

/** Where the two services answer, as the server wrote it into the page. */
export const siteConfig: SiteConfig = {
  gatewayUrl: metaContent('passerelle-gateway-url'),
  bookingUrl: metaContent('passerelle-booking-url'),
}

function metaContent(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? ''
}
