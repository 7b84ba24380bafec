import { deliveryId, renderEvent } from '../events/event.ts'
import { webhookHeaders } from '../events/send-parcel.ts'
import { endpointOf } from '../events/webhook-endpoint.ts'
import type { Html } from '../pages/html.ts'
import { html } from '../pages/html.ts'
import type { AttemptRecord, DeliveryRecord, EventRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import { deliveryStanding, eventRow } from './home-page.ts'
import { paymentStory, take } from './payment-story.ts'
import { action, listPanel, moment, pill, timeOf } from './shell.ts'

const EVENTS_SHOWN = 100
const EVENTS_LOOKED_AT = 20_000

/** The events, of one family when asked (`charge.*`, `refund.failed`). */
export function eventsPage(reads: Reads, filter: string): Html {
  const looked = take(reads.table('events').newestFirst(), EVENTS_LOOKED_AT)
  const shown = looked.filter(({ type }) => type.includes(filter.replaceAll('*', ''))).slice(0, EVENTS_SHOWN)
  return html`<div class="head">
      <h1>Events</h1>
      <form class="act" method="get" action="/_sandbox/events">
        <label
          >Type contains
          <input class="long" name="type" value="${filter}" autocomplete="off" placeholder="charge.dispute"
        /></label>
        <button class="btn" type="submit">Filter</button>
      </form>
    </div>
    ${listPanel(
      'events',
      'Newest first',
      shown.map((event) => eventRow(reads, event)),
      'No such event has happened yet.',
    )}`
}

/** One event: its JSON, and per endpoint every attempt to deliver it with what was sent and what came back. */
export function eventPage(reads: Reads, event: EventRecord): Html {
  const { word, tone } = deliveryStanding(reads, event)
  return html`<div class="head">
      <div>
        <h1>${event.type}</h1>
        <p>${event.id} · ${timeOf(event.created)} UTC · ${paymentLink(reads, event)}</p>
      </div>
      <div class="acts">
        <span data-live="standing">${pill(word, tone)}</span>
        ${action({ route: `events/${event.id}/resend`, label: 'Send again', kind: 'strong' })}
      </div>
    </div>
    <div class="split">
      <section class="panel" aria-labelledby="deliveries">
        <h2 id="deliveries">Deliveries</h2>
        <div class="inside" data-live="deliveries">
          ${
            event.endpoints.length === 0
              ? html`<p class="hint">Nobody listened to ${event.type} when it happened.</p>`
              : event.endpoints.map((id) => delivery(reads, event, id))
          }
        </div>
      </section>
      <section class="panel" aria-labelledby="json">
        <h2 id="json">Event</h2>
        <div class="inside">
          <pre tabindex="0" aria-label="The event as JSON">
${JSON.stringify(renderEvent(reads, event), null, 2)}</pre>
        </div>
      </section>
    </div>`
}

function paymentLink(reads: Reads, event: EventRecord): Html {
  const object = event.object as { id?: string; payment_intent?: string | null }
  const story = [object.payment_intent, object.id]
    .filter((id) => typeof id === 'string')
    .map((id) => paymentStory(reads, id))
    .find((found) => found !== undefined)
  if (!story) return html`${object.id ?? ''}`
  return html`<a href="/_sandbox/payments/${story.id}">its payment</a>`
}

function delivery(reads: Reads, event: EventRecord, endpointId: string): Html {
  const row = reads.get('deliveries', deliveryId(event.id, endpointId))
  const url = endpointOf(reads, endpointId)?.url ?? endpointId
  if (!row) return html`<div class="group"><h3>${url}</h3></div>`
  return html`<div class="group">
    <h3>${url} ${statusPill(row)}</h3>
    <p>
      ${row.nextAttemptMs === null ? 'No further attempt is planned.' : `Next attempt at ${moment(row.nextAttemptMs)} UTC.`}
    </p>
    ${row.attempts.toReversed().map((attempt, index) => oneAttempt(row, attempt, row.attempts.length - index))}
    <div class="acts">
      ${action({ route: `events/${event.id}/resend`, label: 'Send again to this endpoint', fields: { webhook_endpoint: endpointId } })}
    </div>
  </div>`
}

function statusPill({ status }: DeliveryRecord): Html {
  if (status === 'delivered') return pill('Delivered', 'good')
  if (status === 'pending') return pill('Pending', 'warn')
  return pill(status === 'stopped' ? 'Dropped' : 'Failed', 'bad')
}

function oneAttempt(row: DeliveryRecord, attempt: AttemptRecord, number: number): Html {
  const { at, status, error, durationMs, trigger, signature, answer } = attempt
  const result = status === null ? (error ?? 'no answer') : `HTTP ${status}`
  const request =
    signature === undefined
      ? null
      : `POST, the event as its body\n${linesOf(webhookHeaders({ url: '', body: '', signature }))}`
  const response = answer ? `${result}\n${linesOf(answer.headers)}\n\n${answer.body}` : result
  // As in the signature, whatever the sandbox's clock says.
  const title = `${number}. ${result}, ${durationMs} ms, ${trigger}, ${at.slice(11, 19)} UTC real time`
  return html`<details id="a-${row.id}-${number}">
    <summary>${title}</summary>
    <div class="stack tight">
      ${request === null ? null : html`<pre tabindex="0" aria-label="Request of attempt ${number}">${request}</pre>`}
      <pre tabindex="0" aria-label="Response to attempt ${number}">${response}</pre>
    </div>
  </details>`
}

function linesOf(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}
