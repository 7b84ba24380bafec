import type { FastifyReply } from 'fastify'
import type { Deliverer } from '../events/deliver.ts'
import { endpointsOf } from '../events/webhook-endpoint.ts'
import type { Faults } from '../faults/faults.ts'
import { format } from '../money.ts'
import type { Html } from '../pages/html.ts'
import { html } from '../pages/html.ts'
import { sendDocument } from '../pages/layout.ts'
import { STYLE } from '../pages/style.ts'
import type { Store } from '../store/store.ts'
import { DASHBOARD_STYLE } from './dashboard-style.ts'
import { LIVE_SCRIPT } from './live-script.ts'
import type { Tone } from './payment-story.ts'

export type DashboardDeps = { readonly store: Store; readonly deliverer: Deliverer; readonly faults: Faults }
export type Section = 'payments' | 'events' | 'endpoints' | 'objects' | 'controls'

const SECTIONS: Readonly<Record<Section, { readonly label: string; readonly path: string }>> = {
  payments: { label: 'Payments', path: '/_sandbox' },
  events: { label: 'Events', path: '/_sandbox/events' },
  endpoints: { label: 'Endpoints', path: '/_sandbox/endpoints' },
  objects: { label: 'Objects', path: '/_sandbox/objects' },
  controls: { label: 'Clock & faults', path: '/_sandbox/controls' },
}

const LOGO = html`<svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
  <rect width="26" height="26" rx="7" fill="var(--accent)" />
  <path
    d="M6 17.5c2 1.6 4.3 1.6 6.3.2s4.6-1.6 7.7 0M6 12.6c2 1.6 4.3 1.6 6.3.2s4.6-1.6 7.7 0M7.5 8.2h11"
    fill="none"
    stroke="var(--accent-ink)"
    stroke-width="2"
    stroke-linecap="round"
  />
</svg>`

/** Sends one page of the dashboard. */
export function sendDashboard(
  reply: FastifyReply,
  deps: DashboardDeps,
  page: { section: Section; title: string; main: Html; status?: number },
): FastifyReply {
  const link = ([section, { label, path }]: [string, { label: string; path: string }]): Html =>
    html`<a href="${path}" ${section === page.section ? html`aria-current="page"` : null}>${label}</a>`
  return sendDocument(reply, page.status ?? 200, {
    language: 'en',
    title: `${page.title} · Stripe sandbox`,
    style: STYLE + DASHBOARD_STYLE,
    script: LIVE_SCRIPT,
    body: html`<header class="bar">
        <a class="brand" href="/_sandbox">${LOGO} Stripe sandbox</a>
        <nav aria-label="Dashboard">${Object.entries(SECTIONS).map(link)}</nav>
      </header>
      <section class="strip" aria-label="State of the sandbox">
        <span data-live="strip" class="acts">${strip(deps)}</span><span class="live">Static</span>
        <p class="toast" role="status"></p>
      </section>
      <main class="dash">${page.main}</main>`,
  })
}

function strip({ store, deliverer, faults }: DashboardDeps): Html {
  const { clock } = store
  const armed = faults.active()
  const endpoints = endpointsOf(store).length
  const heard = endpoints === 0 ? 'nobody listens' : `${endpoints} endpoint${endpoints === 1 ? '' : 's'}`
  return html`<span class="pill"
      ><time data-now="${clock.nowMs()}" data-speed="${clock.setting.speed}">${moment(clock.nowMs())}</time>
      UTC ${clock.setting.speed === 1 ? null : html`× ${clock.setting.speed}`}</span
    >
    ${deliverer.paused ? pill('Webhooks paused', 'warn') : pill(`Webhooks on · ${heard}`, endpoints === 0 ? 'calm' : 'good')}
    ${armed === 0 ? pill('No faults', 'calm') : pill(`${armed} fault${armed === 1 ? '' : 's'} armed`, 'bad')}`
}

export function pill(word: string, tone: Tone): Html {
  return html`<span class="pill ${tone}">${word}</span>`
}

/** A panel with a heading and a list of rows, or the sentence that says why there are none. */
export function listPanel(name: string, heading: string, rows: readonly Html[], empty: string): Html {
  return html`<section class="panel" aria-labelledby="${name}-heading">
    <h2 id="${name}-heading">${heading}</h2>
    <div data-live="${name}">
      ${
        rows.length === 0
          ? html`<p class="empty">${empty}</p>`
          : html`<ul class="rows">
              ${rows.map((row) => html`<li>${row}</li>`)}
            </ul>`
      }
    </div>
  </section>`
}

/** A button that posts to a control route and comes back; `fields` go with it, `inputs` are shown before it. */
export function action(act: {
  readonly route: string
  readonly label: string
  readonly fields?: Readonly<Record<string, string>>
  readonly inputs?: Html
  readonly kind?: 'strong' | 'danger'
}): Html {
  const { route, label, fields = {}, inputs, kind = '' } = act
  const key = `${route} ${JSON.stringify(fields)}`
  return html`<form class="act" method="post" action="/_sandbox/${route}">
    ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    ${inputs}
    <button class="btn ${kind}" type="submit" data-key="${key}">${label}</button>
  </form>`
}

/** A choice before a button; the label stands above it. */
export function choice(label: string, name: string, options: readonly string[]): Html {
  return html`<label
    >${label}
    <select name="${name}">
      ${options.map((option) => html`<option>${option}</option>`)}
    </select></label
  >`
}

export function json(id: string, title: string, value: unknown): Html {
  const text = JSON.stringify(value, null, 2)
  return html`<details id="${id}">
    <summary>${title}</summary>
    <pre tabindex="0" aria-label="${title}">${text}</pre>
  </details>`
}

export function money(amount: number, currency: string): string {
  return format(amount, currency, 'en-US')
}

/** `2026-10-28 14:03:12`, in UTC as Stripe's times are. */
export function moment(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

export function timeOf(seconds: number): Html {
  return html`<time datetime="${new Date(seconds * 1000).toISOString()}">${moment(seconds * 1000)}</time>`
}

/** As short as it can be in a row: the time of day, or the day when it was another one. */
export function shortTimeOf(seconds: number, nowMs: number): Html {
  const full = moment(seconds * 1000)
  const [day = '', time = ''] = full.split(' ')
  const text = moment(nowMs).startsWith(day) ? time : day
  return html`<time datetime="${new Date(seconds * 1000).toISOString()}" title="${full} UTC">${text}</time>`
}
