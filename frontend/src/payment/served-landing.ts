import type { Landing } from './landing.ts'

export const LANDING_META = 'passerelle-landing'

/** What the server wrote into the page, or null where it knew nothing. Taken out of the page: only its memory keeps it. */
export function takeServedLanding(page: Document): Landing | null {
  const meta = page.querySelector<HTMLMetaElement>(`meta[name="${LANDING_META}"]`)
  if (!meta?.content) return null
  meta.remove()
  return JSON.parse(meta.content) as Landing
}
