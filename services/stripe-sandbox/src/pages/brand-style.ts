import type Stripe from 'stripe'
import type { FONTS } from '../checkout/branding.ts'
import { OWN } from '../checkout/branding.ts'

type Branding = Stripe.Checkout.Session.BrandingSettings
type Font = (typeof FONTS)[number]

// Nothing is fetched for letters: the family where the payer's machine has it, and its kind elsewhere.
const FAMILIES: Readonly<Record<Exclude<Font, 'default'>, string>> = {
  be_vietnam_pro: '"Be Vietnam Pro",sans-serif',
  bitter: 'Bitter,serif',
  chakra_petch: '"Chakra Petch",sans-serif',
  hahmlet: 'Hahmlet,serif',
  inconsolata: 'Inconsolata,monospace',
  inter: 'Inter,sans-serif',
  lato: 'Lato,sans-serif',
  lora: 'Lora,serif',
  m_plus_1_code: '"M PLUS 1 Code",monospace',
  montserrat: 'Montserrat,sans-serif',
  noto_sans: '"Noto Sans",sans-serif',
  noto_sans_jp: '"Noto Sans JP",sans-serif',
  noto_serif: '"Noto Serif",serif',
  nunito: 'Nunito,sans-serif',
  open_sans: '"Open Sans",sans-serif',
  pridi: 'Pridi,serif',
  pt_sans: '"PT Sans",sans-serif',
  pt_serif: '"PT Serif",serif',
  raleway: 'Raleway,sans-serif',
  roboto: 'Roboto,sans-serif',
  roboto_slab: '"Roboto Slab",serif',
  source_sans_pro: '"Source Sans Pro",sans-serif',
  titillium_web: '"Titillium Web",sans-serif',
  ubuntu_mono: '"Ubuntu Mono",monospace',
  zen_maru_gothic: '"Zen Maru Gothic",sans-serif',
}

// Of a field or button, and of what holds several.
const CORNERS: Readonly<Record<string, readonly [small: string, large: string]>> = {
  rectangular: ['0', '0'],
  pill: ['999px', '24px'],
}

/**
 * The rules that give the hosted page the Session's look. What it leaves as the account has it stays as the page has it,
 * light or dark as the payer's machine. Whatever the colours, what is written on them can be read.
 */
export function brandStyle(branding: Branding): string {
  const { background_color: ground, button_color: button } = branding
  const family = (FAMILIES as Readonly<Record<string, string>>)[branding.font_family]
  const corners = CORNERS[branding.border_style]
  return [
    ground === OWN.background_color ? '' : groundRules(ground),
    button === OWN.button_color
      ? ''
      : `.primary{background:${button};color:${readableOn(button)}}.primary:hover{filter:none;text-decoration:underline}`,
    family === undefined ? '' : `body{font-family:${family}}`,
    corners === undefined
      ? ''
      : `input[type=text],input[type=email],.primary,.secondary,.choice label,.tests button{border-radius:${corners[0]}}.card,.tests,.tile,.alert,.picture{border-radius:${corners[1]}}`,
  ].join('\n')
}

// For everything that lies on the background itself; the form is a card with colours of its own.
function groundRules(ground: string): string {
  const ink = readableOn(ground)
  const named = ['ink', 'soft', 'line', 'edge', 'accent', 'bad', 'focus'].map((name) => `--${name}:${ink}`)
  return `body{background:${ground}}
.order,.trials,footer{${named.join(';')};--paper:transparent;--accent-ground:transparent;color:${ink}}
.tile{border:1px solid var(--line)}`
}

/** Black or white, whichever has more contrast on that colour: at least 4.5 to 1 on any. */
export function readableOn(colour: string): '#000000' | '#ffffff' {
  const luminance = luminanceOf(colour)
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? '#ffffff' : '#000000'
}

// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
function luminanceOf(colour: string): number {
  const digits = colour.slice(1)
  const full = digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(full.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
