import type { Html } from '../pages/html.ts'
import { endpointsOf, isListener } from '../events/webhook-endpoint.ts'
import { html } from '../pages/html.ts'
import type { ResourceTable } from '../resources.ts'
import { render, RENDERERS } from '../resources.ts'
import type { WebhookEndpointRecord } from '../store/records.ts'
import type { Reads } from '../store/store.ts'
import { take } from './payment-story.ts'
import { action, json, pill } from './shell.ts'

const OBJECTS_SHOWN = 50

/** Every kind of object, and the newest of one kind as the API shows them. */
export function objectsPage(reads: Reads, kind: string): Html {
  const tables = Object.keys(RENDERERS) as ResourceTable[]
  const table = tables.find((name) => name === kind) ?? 'payment_intents'
  const rows = take(reads.table(table).newestFirst(), OBJECTS_SHOWN)
  return html`<div class="head"><h1>Objects</h1></div>
    <nav class="acts" aria-label="Kinds of objects">
      ${tables.map(
        (name) =>
          html`<a
            class="btn ${name === table ? 'strong' : ''}"
            href="/_sandbox/objects?kind=${name}"
            ${name === table ? html`aria-current="page"` : null}
            >${name.replaceAll('_', ' ')} (${reads.table(name).size})</a
          >`,
      )}
    </nav>
    <section class="panel" aria-labelledby="objects">
      <h2 id="objects">${table.replaceAll('_', ' ')}, newest first</h2>
      <div class="inside" data-live="objects">
        ${
          rows.length === 0
            ? html`<p class="hint">None yet.</p>`
            : rows.map((row) => json(`o-${row.id}`, row.id, render(reads, table, row)))
        }
      </div>
    </section>`
}

/** Who listens, to what, and how well it goes. */
export function endpointsPage(reads: Reads): Html {
  const endpoints = endpointsOf(reads)
  return html`<div class="head"><h1>Webhook endpoints</h1></div>
    <section class="panel" aria-labelledby="endpoints">
      <h2 id="endpoints">Who listens</h2>
      <div class="inside" data-live="endpoints">
        ${
          endpoints.length === 0
            ? html`<p class="hint">
                Nobody. Start the sandbox with <code>SANDBOX_WEBHOOK_URL</code>, create one with
                <code>stripe.webhookEndpoints.create</code>, or below.
              </p>`
            : endpoints.map((endpoint) => oneEndpoint(endpoint, isListener(reads, endpoint.id)))
        }
      </div>
    </section>
    <section class="panel" aria-labelledby="add">
      <h2 id="add">Add an endpoint</h2>
      <div class="inside">
        ${action({
          route: 'webhook_endpoints',
          label: 'Add',
          kind: 'strong',
          inputs: html`<label
              >URL
              <input
                class="long"
                type="url"
                name="url"
                required
                placeholder="http://localhost:3000/webhooks" /></label
            ><label>Events <input class="long" name="events" value="*" /></label>`,
        })}
      </div>
    </section>`
}

function oneEndpoint(endpoint: WebhookEndpointRecord, isTerminal: boolean): Html {
  const isOn = endpoint.status === 'enabled'
  const events = endpoint.enabledEvents.includes('*') ? 'everything' : endpoint.enabledEvents.join(', ')
  return html`<div class="group">
    <h3>${endpoint.url} ${isOn ? pill('Enabled', 'good') : pill('Disabled', 'warn')}</h3>
    <p>${endpoint.id} · ${endpoint.apiVersion ?? 'default version'} · hears ${events}</p>
    ${isTerminal ? null : switches(endpoint.id, isOn)}
  </div>`
}

function switches(id: string, isOn: boolean): Html {
  return html`<div class="acts">
    ${action({ route: `webhook_endpoints/${id}/${isOn ? 'disable' : 'enable'}`, label: isOn ? 'Disable' : 'Enable' })}
    ${action({ route: `webhook_endpoints/${id}/roll`, label: 'Roll the secret, old one valid for a day' })}
  </div>`
}
