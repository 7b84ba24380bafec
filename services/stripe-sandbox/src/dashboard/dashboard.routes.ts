import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { html } from '../pages/html.ts'
import { controlsPage } from './controls-page.ts'
import { eventPage, eventsPage } from './event-page.ts'
import { homePage } from './home-page.ts'
import { endpointsPage, objectsPage } from './object-pages.ts'
import { paymentPage } from './payment-page.ts'
import { paymentStory } from './payment-story.ts'
import type { DashboardDeps, Section } from './shell.ts'
import { sendDashboard } from './shell.ts'

const LIVE_EVERY_MS = 300
const WATCHERS_MAX = 50

/** The pages at `/_sandbox`: what happened here, and buttons for what should. Its buttons post to the control routes. */
export function serveDashboard(app: FastifyInstance, deps: DashboardDeps): void {
  const { store } = deps
  app.get('/', (_request, reply) => reply.redirect('/_sandbox', 302))
  app.get('/_sandbox', (_request, reply) =>
    sendDashboard(reply, deps, { section: 'payments', title: 'Payments', main: homePage(store) }),
  )
  app.get('/_sandbox/payments/:id', (request, reply) => {
    const story = paymentStory(store, idOf(request))
    if (!story) return notFound(reply, deps, 'payments')
    return sendDashboard(reply, deps, {
      section: 'payments',
      title: story.title,
      main: paymentPage(store, story),
    })
  })
  app.get('/_sandbox/events', (request, reply) => {
    const main = eventsPage(store, queryOf(request, 'type'))
    return sendDashboard(reply, deps, { section: 'events', title: 'Events', main })
  })
  app.get('/_sandbox/events/:id', (request, reply) => {
    const event = store.get('events', idOf(request))
    if (!event) return notFound(reply, deps, 'events')
    return sendDashboard(reply, deps, { section: 'events', title: event.type, main: eventPage(store, event) })
  })
  app.get('/_sandbox/endpoints', (_request, reply) =>
    sendDashboard(reply, deps, {
      section: 'endpoints',
      title: 'Webhook endpoints',
      main: endpointsPage(store),
    }),
  )
  app.get('/_sandbox/objects', (request, reply) => {
    const main = objectsPage(store, queryOf(request, 'kind'))
    return sendDashboard(reply, deps, { section: 'objects', title: 'Objects', main })
  })
  app.get('/_sandbox/controls', (_request, reply) =>
    sendDashboard(reply, deps, { section: 'controls', title: 'Clock & faults', main: controlsPage(deps) }),
  )
  serveLive(app, deps)
}

// One line whenever something was written, at most every 300 ms: the page asks for itself again.
function serveLive(app: FastifyInstance, { store }: DashboardDeps): void {
  const watchers = new Set<FastifyReply>()
  let timer: NodeJS.Timeout | undefined
  const tell = (): void => {
    timer = undefined
    for (const { raw } of watchers) raw.write('data: changed\n\n')
  }
  store.onCommit((changes) => {
    if (watchers.size > 0 && changes.length > 0) timer ??= setTimeout(tell, LIVE_EVERY_MS)
  })
  app.addHook('onClose', () => clearTimeout(timer))
  app.get('/_sandbox/live', (_request, reply) => {
    if (watchers.size >= WATCHERS_MAX) return reply.code(503).send('Too many pages are open.')
    reply.hijack()
    reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    reply.raw.write('retry: 1000\n\n')
    watchers.add(reply)
    reply.raw.on('close', () => watchers.delete(reply))
    return reply
  })
}

function notFound(reply: FastifyReply, deps: DashboardDeps, section: Section): FastifyReply {
  const main = html`<h1>There is no such thing here</h1>
    <p>It may have been forgotten by a reset. <a href="/_sandbox">Back to the payments</a></p>`
  return sendDashboard(reply, deps, { section, title: 'Not found', main, status: 404 })
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}

function queryOf(request: FastifyRequest, name: string): string {
  const value = (request.query as Record<string, unknown>)[name]
  return typeof value === 'string' ? value.slice(0, 100) : ''
}
