import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSettled } from '@passerelle/client/payment'
import type { Tracing } from '@passerelle/kit/tracing'
import { REMEMBERED_COOKIE, cookieOf, pickLanguage } from '../src/language/language.ts'
import type { Language } from '../src/language/language.ts'
import { en } from '../src/language/messages.en.ts'
import type { Messages } from '../src/language/messages.en.ts'
import { fr } from '../src/language/messages.fr.ts'
import { arrivalOf, idsOf } from '../src/payment/landing.ts'
import type { Landing } from '../src/payment/landing.ts'
import { paymentPatterns, statusLinkPattern } from '../src/paths.ts'
import { keepAccessLines, keyOf, readAccess } from './access-cookie.ts'
import type { KeptAccess } from './access-cookie.ts'
import type { FrontendConfig } from './config.ts'
import { escapeAttribute } from './html.ts'
import { readByToken, readPayment } from './read-payment.ts'

type Rendered = { readonly html: string; readonly title: string }

/** What the bundle of the payer's pages offers to this server. */
export type Renderer = {
  readonly renderPayment: (landing: Landing, language: Language, supportEmail: string | null) => Rendered
  readonly renderUnreadable: (language: Language) => Rendered
}

type PageDeps = {
  readonly config: FrontendConfig
  /** The built page, with the services' addresses in it. */
  readonly template: string
  readonly renderer: Renderer
  readonly tracing: Tracing
}

/** The payer's pages, made with what is known: right at first paint, also where no script runs. */
export function addPaymentPages(server: FastifyInstance, deps: PageDeps): void {
  for (const pattern of Object.values(paymentPatterns))
    server.get(pattern, async (request, reply) => await sendPayment(request, reply, deps))
  server.get<{ Params: { statusToken: string } }>(
    statusLinkPattern,
    async (request, reply) => await followLink(request, reply, deps),
  )
}

/** A return with ids in its address leads to the same page without them; that one is made with what the cookie opens. */
async function sendPayment(
  request: FastifyRequest,
  reply: FastifyReply,
  { config, template, renderer, tracing }: PageDeps,
): Promise<FastifyReply> {
  const { pathname, searchParams: query } = new URL(request.url, 'http://localhost')
  const { isSecure } = config
  const { cookie } = request.headers
  const named = idsOf(query)
  if (named.bookingId !== null) {
    const key = keyOf(named.bookingId)
    const access = readAccess(cookie, key, isSecure)
    // Without our cookie the page itself cleans its address and asks as the signed-in customer.
    if (access === null) return await sendHtml(reply, withoutLanding(template))
    const kept = { ...access, sessionId: named.sessionId ?? access.sessionId }
    return await leadTo(reply, { pathname, key, query, lines: keepAccessLines(cookie, kept, isSecure) })
  }
  const access = readAccess(cookie, query.get('ref') ?? '', isSecure)
  if (access === null) return await sendHtml(reply, withoutLanding(template))
  const landing = await landingOf(access, arrivalOf(pathname), { config, address: request.ip, tracing })
  return await sendHtml(
    reply,
    withLanding(template, {
      landing,
      renderer,
      language: languageOf(request, query),
      supportEmail: config.supportEmail,
    }),
  )
}

async function landingOf(
  access: KeptAccess,
  arrival: Landing['arrival'],
  { config, address, tracing }: Pick<PageDeps, 'config' | 'tracing'> & { readonly address: string },
): Promise<Landing> {
  const known = await readPayment(
    { ...access, gatewayUrl: config.internalGatewayUrl, address, tracing },
    { verifies: arrival === 'success' },
  )
  return { ...access, arrival, known }
}

/** A status link: its token goes into a cookie, and the address it leads to names nothing. */
async function followLink(
  request: FastifyRequest<{ Params: { statusToken: string } }>,
  reply: FastifyReply,
  { config, template, renderer, tracing }: PageDeps,
): Promise<FastifyReply> {
  const { statusToken } = request.params
  const { isSecure } = config
  const payment = await readByToken({
    gatewayUrl: config.internalGatewayUrl,
    statusToken,
    address: request.ip,
    tracing,
  })
  if (payment === 'unavailable')
    return await reply
      .code(503)
      .header('retry-after', '5')
      .header('refresh', '5')
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(whileUnreadable(template, renderer, languageOf(request, new URLSearchParams())))
  const pathname = paymentPatterns.status
  if (payment === 'unknown') return await reply.redirect(pathname, 303)
  const { bookingId } = payment
  const key = keyOf(bookingId)
  // The browser that paid stays the one that paid, also when it opens the link.
  const own = readAccess(request.headers.cookie, key, isSecure)
  const nothing = { sessionId: null, expiresAt: null, tour: null, isMasked: true }
  const access = { ...(own ?? nothing), bookingId, statusToken }
  const lines = keepAccessLines(request.headers.cookie, access, isSecure)
  return await leadTo(reply, { pathname, key, query: new URLSearchParams(), lines })
}

type Lead = {
  readonly pathname: string
  readonly key: string
  readonly query: URLSearchParams
  readonly lines: readonly string[]
}

async function leadTo(reply: FastifyReply, { pathname, key, query, lines }: Lead): Promise<FastifyReply> {
  const clean = new URLSearchParams({ ref: key })
  const language = query.get('lang')
  if (language !== null) clean.set('lang', language)
  return await reply
    .header('set-cookie', [...lines])
    .header('cache-control', 'no-store')
    .redirect(`${pathname}?${clean}`, 303)
}

async function sendHtml(reply: FastifyReply, html: string): Promise<FastifyReply> {
  return await reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(html)
}

function languageOf(request: FastifyRequest, query: URLSearchParams): Language {
  return pickLanguage({
    search: query.toString(),
    remembered: cookieOf(request.headers.cookie ?? '', REMEMBERED_COOKIE),
    preferred: preferredOf(request.headers['accept-language'] ?? ''),
  })
}

/** The languages of an Accept-Language header, most wanted first. */
function preferredOf(header: string): string[] {
  return header
    .split(',')
    .map((entry) => {
      const [tag = '', quality] = entry.trim().split(';q=')
      return { tag, quality: quality === undefined ? 1 : Number(quality) || 0 }
    })
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)
}

/** For a browser that brings nothing to know it by: the script finds out. */
function withoutLanding(template: string): string {
  return template.replace('__LANDING__', '')
}

const MESSAGES: Record<Language, Messages> = { en, fr }

type Made = {
  readonly landing: Landing
  readonly renderer: Renderer
  readonly language: Language
  readonly supportEmail: string | null
}

/** The built page with the payment in it: as HTML to read, and as data for the script to go on with. */
function withLanding(template: string, { landing, renderer, language, supportEmail }: Made): string {
  const { html, title } = renderer.renderPayment(landing, language, supportEmail)
  // Where no script runs, a page that may still change looks again by itself.
  const mayChange = landing.known === null || !isSettled(landing.known)
  const refresh = mayChange ? '<noscript><meta http-equiv="refresh" content="10" /></noscript>' : ''
  const { noScript, noScriptLooks } = MESSAGES[language].payment
  const made = withRendered(template, language, { html, title })
  return made
    .replace(NO_SCRIPT, () => `<noscript>${noScript}${mayChange ? ` ${noScriptLooks}` : ''}</noscript>`)
    .replace('</head>', () => `${refresh}</head>`)
    .replace('__LANDING__', () => escapeAttribute(JSON.stringify(landing)))
}

/** The link's page while its payment cannot be read. The script is left out: it would say that there is none. */
function whileUnreadable(template: string, renderer: Renderer, language: Language): string {
  return withRendered(withoutLanding(template), language, renderer.renderUnreadable(language))
    .replace(NO_SCRIPT, '')
    .replaceAll(/<script[^>]*><\/script>|<link rel="modulepreload"[^>]*>/g, '')
}

const NO_SCRIPT = /<noscript\s*>.*?<\/noscript\s*>/s

function withRendered(template: string, language: Language, { html, title }: Rendered): string {
  return template
    .replace('<html lang="en">', () => `<html lang="${language}">`)
    .replace(/<title>.*?<\/title>/, () => `<title>${title}</title>`)
    .replace('<div id="root"></div>', () => `<div id="root">${html}</div>`)
}
