import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Html } from '../pages/html.ts'
import { html, raw } from '../pages/html.ts'
import type { Messages } from '../pages/messages.ts'
import { languageOf, messagesOf } from '../pages/messages.ts'
import { STYLE } from '../pages/style.ts'
import { FRAME_SCRIPT } from './frame-script.ts'
import { STRIPE_SCRIPT } from './stripe-script.ts'

// Where Stripe.js lies: for every release train, and as it was called before there were any.
const SCRIPT_PATHS = ['/v3', '/:train/stripe.js']

const TEST_CARDS: readonly [number: string, what: keyof Messages][] = [
  ['4242 4242 4242 4242', 'succeeds'],
  ['4000 0027 6000 3184', 'challenges'],
  ['4000 0000 0000 9995', 'noFunds'],
]

const FRAME_STYLE = `
html{background:transparent}
body{min-height:0;display:block;background:transparent;padding:3px}
main{padding:0}
form{display:grid;gap:1rem}
.fills{display:flex;flex-wrap:wrap;gap:.4rem}
.fills button{font:inherit;font-size:.8125rem;color:var(--soft);background:transparent;border:1px dashed var(--line);border-radius:8px;padding:.35rem .6rem;min-height:2rem;cursor:pointer}
.fills button:hover{color:var(--ink)}
`

/** The sandbox's stand-in for Stripe.js, and the frame with the card's fields that it puts into a page. */
export function serveElements(app: FastifyInstance): void {
  for (const path of SCRIPT_PATHS)
    app.get(path, (_request, reply) =>
      reply
        .headers({
          'Content-Type': 'text/javascript; charset=utf-8',
          'Cache-Control': 'public, max-age=60',
          'Cross-Origin-Resource-Policy': 'cross-origin',
          'X-Content-Type-Options': 'nosniff',
        })
        .send(STRIPE_SCRIPT),
    )
  app.get('/elements/payment', (request, reply) => {
    const { key = '', intent = '', locale = 'auto' } = request.query as Record<string, string>
    const language = languageOf(locale, request.headers['accept-language'])
    return sendFrame(reply, { key, intent, language })
  })
}

type Frame = {
  readonly key: string
  readonly intent: string
  readonly language: 'fr' | 'en'
}

function sendFrame(reply: FastifyReply, { key, intent, language }: Frame): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  const text = messagesOf(language)
  const page = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${text.card}</title>
        <style nonce="${nonce}">
          ${raw(STYLE)}${raw(FRAME_STYLE)}
        </style>
      </head>
      <body>
        <main>${fields({ key, intent, text })}</main>
        <script nonce="${nonce}">
          ${raw(FRAME_SCRIPT)}
        </script>
      </body>
    </html>`
  return reply
    .headers({
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      // Any page may show it: the client secret, which only the page has, is what opens a payment.
      'Content-Security-Policy': `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *`,
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
    .send(page.html)
}

type Fields = { readonly key: string; readonly intent: string; readonly text: Messages }

function fields({ key, intent, text }: Fields): Html {
  return html`<form
    id="fields"
    novalidate
    data-key="${key}"
    data-intent="${intent}"
    data-number="${text.numberIncomplete}"
    data-expiry="${text.expiryIncomplete}"
    data-cvc="${text.cvcIncomplete}"
  >
    ${field('number', text.cardNumber, 'cc-number')}
    <div class="pair">
      ${field('expiry', text.expiry, 'cc-exp', text.expiryHint)} ${field('cvc', text.cvc, 'cc-csc')}
    </div>
    <div class="fills" role="group" aria-label="${text.testCards}">
      ${TEST_CARDS.map(
        ([number, what]) =>
          html`<button type="button" data-fill="${number}">…${number.slice(-4)} ${text[what]}</button>`,
      )}
    </div>
  </form>`
}

function field(name: string, label: string, autocomplete: string, placeholder = ''): Html {
  return html`<div>
    <label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="text"
      inputmode="numeric"
      maxlength="30"
      autocomplete="${autocomplete}"
      placeholder="${placeholder}"
      aria-describedby="${name}-fault"
    />
    <p class="fault" id="${name}-fault" role="alert"></p>
  </div>`
}
