import type Stripe from 'stripe'
import { invalidParameter, missingParameter } from '../errors.ts'
import type { Reader } from '../http/params.ts'
import { choice, object, only, text, url } from '../http/params.ts'

// What the page's look may be: colours, corners, letters and a picture.

export const FONTS = [
  'be_vietnam_pro',
  'bitter',
  'chakra_petch',
  'default',
  'hahmlet',
  'inconsolata',
  'inter',
  'lato',
  'lora',
  'm_plus_1_code',
  'montserrat',
  'noto_sans',
  'noto_sans_jp',
  'noto_serif',
  'nunito',
  'open_sans',
  'pridi',
  'pt_sans',
  'pt_serif',
  'raleway',
  'roboto',
  'roboto_slab',
  'source_sans_pro',
  'titillium_web',
  'ubuntu_mono',
  'zen_maru_gothic',
] as const

// There are no uploaded files here: a picture is at an address.
const PICTURE = object({ type: only(choice('file', 'url'), 'url'), url: httpsUrl() })

export const BRANDING_SETTINGS = object({
  background_color: colour(),
  border_style: choice('pill', 'rectangular', 'rounded'),
  button_color: colour(),
  display_name: text(150),
  font_family: choice(...FONTS),
  icon: PICTURE,
  logo: PICTURE,
})

/** The account's own, for what a Session leaves open. */
export const OWN = {
  background_color: '#ffffff',
  border_style: 'rounded',
  button_color: '#0074d4',
  display_name: 'Passerelle Sandbox',
  font_family: 'default',
} as const

/** The Session's branding as it is shown, or undefined when it asks for none. */
export function brandingOf(
  asked: ReturnType<typeof BRANDING_SETTINGS> | null | undefined,
): Stripe.Checkout.Session.BrandingSettings | undefined {
  const given = Object.values(asked ?? {}).some((value) => value !== null)
  if (!asked || !given) return undefined
  if (asked.icon && asked.logo) {
    throw invalidParameter(
      'You may only specify one of these parameters: branding_settings[icon], branding_settings[logo].',
      { param: 'branding_settings[icon]' },
    )
  }
  return {
    background_color: asked.background_color ?? OWN.background_color,
    border_style: asked.border_style ?? OWN.border_style,
    button_color: asked.button_color ?? OWN.button_color,
    display_name: asked.display_name ?? OWN.display_name,
    font_family: asked.font_family ?? OWN.font_family,
    icon: pictureOf(asked.icon, 'branding_settings[icon]'),
    logo: pictureOf(asked.logo, 'branding_settings[logo]'),
  }
}

function pictureOf(
  asked: ReturnType<typeof PICTURE> | null | undefined,
  path: string,
): { type: 'url'; url: string } | null {
  if (!asked) return null
  if (!asked.type) throw missingParameter(`${path}[type]`)
  if (!asked.url) throw missingParameter(`${path}[url]`)
  return { type: 'url', url: asked.url }
}

function colour(): Reader<string> {
  return (value, path) => {
    const code = text(20)(value, path)
    if (/^#(?:[0-9a-f]{3}){1,2}$/i.test(code)) return code
    throw invalidParameter(`Invalid color: ${code}; must be a hex color value starting with \`#\`.`, {
      param: path,
    })
  }
}

// The page is shown over HTTPS at Stripe: a picture from elsewhere would not be. Its host goes into the page's policy.
function httpsUrl(): Reader<string> {
  return (value, path) => {
    const address = url()(value, path)
    if (URL.canParse(address) && /^https:\/\/[a-z0-9.-]+(:\d+)?$/.test(new URL(address).origin))
      return address
    throw invalidParameter('Not a valid URL', { param: path, code: 'url_invalid' })
  }
}
