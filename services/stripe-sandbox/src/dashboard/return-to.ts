import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiError } from '../errors.ts'
import { html } from '../pages/html.ts'
import { sendDocument } from '../pages/layout.ts'
import { STYLE } from '../pages/style.ts'
import { DASHBOARD_STYLE } from './dashboard-style.ts'

/** The page of the dashboard whose button posted here, or undefined when a program did. */
export function returnTo(request: FastifyRequest): string | undefined {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
  const wantsPage = request.headers.accept?.includes('text/html') ?? false
  if (request.method !== 'POST' || !isForm || !wantsPage) return undefined
  const { referer = '' } = request.headers
  const page = URL.canParse(referer) ? new URL(referer) : undefined
  // Only ever back into the dashboard: a path of this server.
  if (!page?.pathname.startsWith('/_sandbox')) return '/_sandbox'
  return page.pathname + page.search
}

/** Says why the button did nothing, with a way back. */
export function sendRefusal(reply: FastifyReply, back: string, error: ApiError): FastifyReply {
  return sendDocument(reply, error.status, {
    language: 'en',
    title: 'Nothing was changed · Stripe sandbox',
    style: STYLE + DASHBOARD_STYLE,
    body: html`<main class="narrow">
      <div class="card notice">
        <h1>Nothing was changed</h1>
        <p>${error.message}</p>
        <a class="secondary" href="${back}">Back</a>
      </div>
    </main>`,
  })
}
