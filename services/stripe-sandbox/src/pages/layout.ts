import { randomBytes } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { Html } from './html.ts'
import { html, raw } from './html.ts'
import type { Language } from './messages.ts'
import { messagesOf } from './messages.ts'
import { STYLE } from './style.ts'

export type Page = {
  readonly language: Language
  readonly title: string
  readonly main: Html
  /** Rules of its own, after everybody's. */
  readonly style?: string
  /** The one picture that it shows from elsewhere. */
  readonly picture?: string | undefined
  readonly script?: string
  readonly wide?: boolean
}

/** Sends one page to the payer. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const text = messagesOf(page.language)
  return sendDocument(reply, status, {
    language: page.language,
    title: page.title,
    style: STYLE + (page.style ?? ''),
    picture: page.picture,
    ...(page.script === undefined ? {} : { script: page.script }),
    body: html`<header class="ribbon">
        <strong>${text.testMode}</strong> <span>${text.testModeHint}</span>
      </header>
      <main class="${page.wide ? 'wide' : 'narrow'}">${page.main}</main>
      <footer>${text.powered}</footer>`,
  })
}

export type Document = {
  readonly language: Language
  readonly title: string
  readonly style: string
  readonly picture?: string | undefined
  readonly body: Html
  readonly script?: string
}

/** Sends a whole document with a policy that lets nothing in from outside but its picture, and nothing inline but its own. */
export function sendDocument(reply: FastifyReply, status: number, page: Document): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  const document = html`<!doctype html>
    <html lang="${page.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${page.title}</title>
        <link rel="icon" href="data:," />
        <style nonce="${nonce}">
          ${raw(page.style)}
        </style>
      </head>
      <body>
        ${page.body}
        ${
          page.script === undefined
            ? null
            : html`<script nonce="${nonce}">
                ${raw(page.script)}
              </script>`
        }
      </body>
    </html>`
  return reply
    .code(status)
    .headers({
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': policy(nonce, page.picture),
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    })
    .send(document.html)
}

// form-action names whole schemes because browsers apply it to the redirect to the merchant's success page as well.
function policy(nonce: string, picture: string | undefined): string {
  const pictures = picture === undefined ? 'data:' : `data: ${new URL(picture).origin}`
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    `img-src ${pictures}`,
    "connect-src 'self'",
    "form-action 'self' http: https:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
