import type { EventRecord } from '../store/records.ts'
import { deliveryId } from '../events/event.ts'
import type { Html } from '../pages/html.ts'
import { html } from '../pages/html.ts'
import type { Reads, Store } from '../store/store.ts'
import type { PaymentStory, Tone } from './payment-story.ts'
import { latestPayments, standingOf, take } from './payment-story.ts'
import { listPanel, money, pill, shortTimeOf } from './shell.ts'

const PAYMENTS_SHOWN = 50
const EVENTS_SHOWN = 25

/** The first page: what was paid, what happened, and how to point a program here. */
export function homePage(store: Store): Html {
  const payments = latestPayments(store, PAYMENTS_SHOWN)
  return html`<div class="head">
      <h1>Payments</h1>
      <p>Nothing here is real: no card is charged.</p>
    </div>
    <div class="split">
      ${listPanel(
        'payments',
        'Latest payments',
        payments.map((story) => paymentRow(story, store.clock.nowMs())),
        'None yet. Create a Checkout Session or a PaymentIntent, and it appears here.',
      )}
      ${listPanel(
        'events',
        'Latest events',
        take(store.table('events').newestFirst(), EVENTS_SHOWN).map((event) => eventRow(store, event)),
        'Nothing has happened yet.',
      )}
    </div>
    <section class="panel" aria-labelledby="start">
      <h2 id="start">Point your program here</h2>
      <div class="inside">
        <pre tabindex="0" aria-label="Example">new Stripe('sk_test_anything', ${sdkOptions(store)})</pre>
        <p class="hint">
          Any key that begins with <code>sk_test_</code> will do. Cards:
          <code>4242 4242 4242 4242</code> pays, <code>4000 0025 0000 3155</code> asks for 3-D Secure,
          <code>4000 0000 0000 0002</code> is declined.
        </p>
      </div>
    </section>`
}

function paymentRow(story: PaymentStory, nowMs: number): Html {
  const { word, tone } = standingOf(story)
  return html`<a class="row" href="/_sandbox/payments/${story.id}"
    ><span class="what"><strong>${story.title}</strong><small>${story.id}</small></span> ${pill(word, tone)}
    <span class="money">${money(story.amount, story.currency)}</span> ${shortTimeOf(story.created, nowMs)}</a
  >`
}

export function eventRow(reads: Reads, event: EventRecord): Html {
  const { word, tone } = deliveryStanding(reads, event)
  return html`<a class="row" href="/_sandbox/events/${event.id}"
    ><span class="what"><strong>${event.type}</strong><small>${event.id}</small></span> ${pill(word, tone)}
    ${shortTimeOf(event.created, reads.nowSeconds() * 1000)}</a
  >`
}

/** How far the event has got with everybody who listens. */
export function deliveryStanding(reads: Reads, event: EventRecord): { word: string; tone: Tone } {
  const states = event.endpoints.map((id) => reads.get('deliveries', deliveryId(event.id, id))?.status)
  if (states.length === 0) return { word: 'Nobody listens', tone: 'calm' }
  const delivered = states.filter((state) => state === 'delivered').length
  if (delivered === states.length) return { word: 'Delivered', tone: 'good' }
  if (states.includes('failed')) return { word: 'Failed', tone: 'bad' }
  if (states.includes('stopped')) return { word: 'Dropped', tone: 'bad' }
  return { word: states.length === 1 ? 'Pending' : `${delivered} of ${states.length}`, tone: 'warn' }
}

function sdkOptions(store: Store): string {
  const { hostname, port, protocol } = new URL(store.settings.publicUrl)
  return `{ host: '${hostname}', port: ${port || 443}, protocol: '${protocol.slice(0, -1)}' }`
}
