import type { Html } from './html.ts'
import { html, raw } from './html.ts'

// Drawn here, so that no page needs an image or a font. All are decoration: the words beside them say it.
function icon(paths: string, size = 20): Html {
  return html`<svg
    width="${size}"
    height="${size}"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    stroke-width="1.7"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${raw(paths)}
  </svg>`
}

export const ARROW = icon('<path d="M16 10H4.5M9 5l-5 5 5 5"/>', 18)
export const LOCK = icon(
  '<rect x="4" y="9" width="12" height="8" rx="2"/><path d="M7 9V6.5a3 3 0 0 1 6 0V9"/>',
  18,
)
export const CARD = icon(
  '<rect x="2.5" y="4.5" width="15" height="11" rx="2"/><path d="M2.5 8.5h15M5.5 12.5h3"/>',
)
export const BANK = icon('<path d="M3 8l7-4.5L17 8M4 16.5h12M5.5 8.5v5.5M10 8.5v5.5M14.5 8.5v5.5"/>')
export const CHECK = icon('<path d="M4.5 10.5l3.7 3.7L15.5 6.5"/>', 28)
export const CLOCK = icon('<circle cx="10" cy="10" r="7"/><path d="M10 6v4.2l2.6 1.8"/>', 28)
export const SHIELD = icon(
  '<path d="M10 2.8l6 2.2v4.6c0 3.6-2.5 6.3-6 7.6-3.5-1.3-6-4-6-7.6V5z"/><path d="M7.3 10l2 2 3.6-3.8"/>',
  24,
)

export const BRANDS = html`<span class="brands" aria-hidden="true">
  <svg class="visa" width="28" height="18" viewBox="0 0 28 18">
    <rect width="28" height="18" fill="#1a3fb0" />
    <path
      d="M11.2 5.6l-1.5 6.8M5 5.7l2.2 6.5 2.6-6.6M17.2 6.4c-1.5-1.2-4-.5-3.5 1 .4 1.1 3 1.1 2.7 2.9-.3 1.6-2.6 1.7-3.9.7M18.2 12.2l3.2-6.6 1.5 6.6M19.3 10.2h3"
      stroke="#fff"
      stroke-width="1.25"
      fill="none"
    />
  </svg>
  <svg class="mastercard" width="28" height="18" viewBox="0 0 28 18">
    <rect width="28" height="18" fill="#23263a" />
    <circle cx="11" cy="9" r="5" fill="#e5432d" />
    <circle cx="17" cy="9" r="5" fill="#f6a01a" fill-opacity=".88" />
  </svg>
  <svg class="amex" width="28" height="18" viewBox="0 0 28 18">
    <rect width="28" height="18" fill="#1677c8" />
    <path
      d="M3.5 12l2.2-6 2.2 6M4.4 10h2.7M10 12V6l2.2 3.4L14.4 6v6M20 6h-3.4v6H20M16.8 9h2.8M21.6 6l3.4 6M25 6l-3.4 6"
      stroke="#fff"
      stroke-width="1.2"
      fill="none"
    />
  </svg>
</span>`
