import type { FastifyInstance } from 'fastify'
import { totalOf } from '../checkout/session.ts'
import { deliveryId } from '../events/event.ts'
import { format } from '../money.ts'
import type { EventRecord, SessionRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import { sendPage } from './layout.ts'
import type { PageDeps } from './payment-form.ts'

const SHOWN = 20

/** What a browser finds at `/`: how to use the sandbox and what has happened lately. */
export function serveOverview(app: FastifyInstance, deps: PageDeps): void {
  const { store, deliverer } = deps
  app.get('/', (_request, reply) =>
    sendPage(reply, 200, {
      language: 'en',
      title: 'Stripe sandbox',
      wide: true,
      main: html`<section class="stack overview">
          <h1>Stripe sandbox</h1>
          <p>Point the official SDK here; any <code>sk_test_…</code> key will do:</p>
          <pre tabindex="0" aria-label="Example">new Stripe('sk_test_anything', ${sdkOptions(store)})</pre>
          <p>
            Webhooks are ${deliverer.paused ? 'blocked' : 'delivered'} to
            ${store.table('webhook_endpoints').size} endpoint(s). It is
            ${new Date(store.clock.nowMs()).toISOString()} here.
          </p>
          <h2>Checkout Sessions</h2>
          ${list(
            first(store.table('sessions').newestFirst()).map((session) => sessionRow(session)),
            'None yet.',
          )}
        </section>
        <section class="stack overview">
          <h2>Events</h2>
          ${list(
            first(store.table('events').newestFirst()).map((event) => eventRow(store, event)),
            'Nothing has happened yet.',
          )}
        </section>`,
    }),
  )
}

function sdkOptions(store: Store): string {
  const { hostname, port, protocol } = new URL(store.settings.publicUrl)
  return `{ host: '${hostname}', port: ${port || 443}, protocol: '${protocol.slice(0, -1)}' }`
}

function first<T>(rows: Iterable<T>): T[] {
  const taken: T[] = []
  for (const row of rows) {
    taken.push(row)
    if (taken.length === SHOWN) break
  }
  return taken
}

function list(rows: readonly Html[], none: string): Html {
  return rows.length === 0
    ? html`<p class="hint">${none}</p>`
    : html`<ul class="items">
        ${rows}
      </ul>`
}

function sessionRow(session: SessionRecord): Html {
  const name = session.lineItems[0]?.name ?? session.id
  return html`<li>
    <span
      ><a href="/c/pay/${session.id}">${name}</a>
      <small>${session.status}, ${session.paymentStatus}</small></span
    >
    <span class="money">${format(totalOf(session), session.currency, 'en-US')}</span>
  </li>`
}

function eventRow(store: Store, event: EventRecord): Html {
  const states = event.endpoints.map((endpoint) => {
    const delivery = store.get('deliveries', deliveryId(event.id, endpoint))
    const last = delivery?.attempts.at(-1)
    return `${delivery?.status ?? 'unknown'} (${last?.status ?? last?.error ?? 'not tried'})`
  })
  return html`<li>
    <span>${event.type} <small>${event.id}</small></span>
    <small>${states.length === 0 ? 'nobody listens' : states.join(', ')}</small>
  </li>`
}
