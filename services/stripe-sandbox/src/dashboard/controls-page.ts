import { API_FAULTS, WEBHOOK_FAULTS } from '../faults/fault.ts'
import type { Html } from '../pages/html.ts'
import { html } from '../pages/html.ts'
import type { DashboardDeps } from './shell.ts'
import { action, choice, moment, pill } from './shell.ts'

const STEPS: readonly [label: string, seconds: number][] = [
  ['1 minute', 60],
  ['1 hour', 3600],
  ['1 day', 86_400],
  ['7 days', 7 * 86_400],
  ['31 days', 31 * 86_400],
]
const SPEEDS: readonly [label: string, speed: number][] = [
  ['Stand still', 0],
  ['Real time', 1],
  ['A minute a second', 60],
  ['An hour a second', 3600],
]

/** What a person would want to go wrong with the next webhooks, ready to click. */
const WEBHOOK_PRESETS: readonly [label: string, rule: Readonly<Record<string, string>>][] = [
  ['Drop the next three', { fault: 'drop', times: '3' }],
  ['Send the next one twice', { fault: 'duplicate', times: '1' }],
  ['Shuffle the next five', { fault: 'shuffle', times: '5', delayMs: '1500' }],
  ['Delay the next by 5 s', { fault: 'delay', times: '1', delayMs: '5000' }],
  ['Let the next time out', { fault: 'slow', times: '1', delayMs: '10000' }],
  ['Spoil the next signature', { fault: 'corrupt_signature', times: '1' }],
  ['Date the next 10 min back', { fault: 'skew', times: '1' }],
]
const API_PRESETS: readonly [label: string, rule: Readonly<Record<string, string>>][] = [
  ['Next call: 429', { fault: 'rate_limit', times: '1' }],
  ['Next call: 409', { fault: 'conflict', times: '1' }],
  ['Next POST: 500, but done', { fault: 'error_after', times: '1', route: 'POST *' }],
  ['Next POST: reset, but done', { fault: 'reset_after', times: '1', route: 'POST *' }],
  ['Next call: cut in half', { fault: 'truncate', times: '1' }],
  ['Every call 2 s slower', { fault: 'delay', delayMs: '2000' }],
]

/** The clock, the deliveries, the faults, and a fresh start. */
export function controlsPage(deps: DashboardDeps): Html {
  return html`<div class="head"><h1>Clock &amp; faults</h1></div>
    <div class="split">
      <div class="stack">
        <section class="panel" aria-labelledby="faults">
          <h2 id="faults">Faults</h2>
          <div class="inside">
            <div data-live="faults" class="group">${armed(deps)}</div>
            ${presets('Webhooks', 'webhook', WEBHOOK_PRESETS)} ${presets('API', 'api', API_PRESETS)}
            ${ownRule()}
          </div>
        </section>
      </div>
      <div class="stack">
        ${clock(deps)} ${deliveries(deps)}
        <section class="panel" aria-labelledby="reset">
          <h2 id="reset">Start again</h2>
          <div class="inside">
            <p class="hint">Forgets every payment, event and customer. Webhook endpoints stay.</p>
            ${action({ route: 'reset', label: 'Forget everything', kind: 'danger' })}
          </div>
        </section>
      </div>
    </div>`
}

function clock({ store }: DashboardDeps): Html {
  const { speed } = store.clock.setting
  return html`<section class="panel" aria-labelledby="clock">
    <h2 id="clock">Clock</h2>
    <div class="inside">
      <div class="group">
        <p data-live="clock">It is ${moment(store.clock.nowMs())} UTC here, ${pace(speed)}.</p>
        <h3>Go forward by</h3>
        <div class="acts">
          ${STEPS.map(([label, seconds]) => action({ route: 'clock/advance', label, fields: { seconds: String(seconds) } }))}
        </div>
      </div>
      <div class="group">
        <h3>Speed</h3>
        <div class="acts">
          ${SPEEDS.map(([label, value]) => action({ route: 'clock', label, fields: { speed: String(value) }, ...(value === speed ? { kind: 'strong' as const } : {}) }))}
        </div>
      </div>
    </div>
  </section>`
}

function pace(speed: number): string {
  if (speed === 0) return 'and time stands still'
  return speed === 1 ? 'and time runs as outside' : `and time runs ${speed} times as fast as outside`
}

function deliveries({ deliverer }: DashboardDeps): Html {
  return html`<section class="panel" aria-labelledby="webhooks">
    <h2 id="webhooks">Webhooks</h2>
    <div class="inside" data-live="webhooks">
      <p class="hint">
        ${deliverer.paused ? 'Blocked: they wait here until you let them go.' : 'Delivered as things happen.'}
      </p>
      ${deliverer.paused ? action({ route: 'webhooks/resume', label: 'Let them go', kind: 'strong' }) : action({ route: 'webhooks/pause', label: 'Block them' })}
    </div>
  </section>`
}

function armed({ faults }: DashboardDeps): Html {
  const { rules } = faults.list()
  if (rules.length === 0) return html`<p>None. Everything works.</p>`
  return html`${rules.map((rule) => {
      const left = rule.left === null ? 'until switched off' : `${rule.left} left`
      const odds = rule.probability < 1 ? `, ${Math.round(rule.probability * 100)} %` : ''
      const where = rule.on === 'api' ? rule.route : rule.type
      return html`<p>
        ${pill(rule.fault, rule.left === 0 ? 'calm' : 'bad')} on ${rule.on} <code>${where}</code>${odds},
        ${left}, struck ${rule.hits === 1 ? 'once' : `${rule.hits} times`}
      </p>`
    })}
    <div class="acts">${action({ route: 'faults', label: 'Switch all off', fields: { rules: '' } })}</div>`
}

function presets(
  title: string,
  on: string,
  rules: readonly [string, Readonly<Record<string, string>>][],
): Html {
  return html`<div class="group">
    <h3>${title}</h3>
    <div class="acts">
      ${rules.map(([label, rule]) => action({ route: 'faults/add', label, fields: { on, ...rule } }))}
    </div>
  </div>`
}

function ownRule(): Html {
  const field = (label: string, name: string, value: string): Html =>
    html`<label>${label} <input name="${name}" value="${value}" autocomplete="off" /></label>`
  return html`<div class="group">
    <h3>A rule of your own</h3>
    ${action({
      route: 'faults/add',
      label: 'Arm for webhooks',
      fields: { on: 'webhook' },
      inputs: html`${choice('Fault', 'fault', WEBHOOK_FAULTS)} ${field('Event type', 'type', '*')}
      ${field('Probability', 'probability', '1')} ${field('Times', 'times', '')}`,
    })}
    ${action({
      route: 'faults/add',
      label: 'Arm for the API',
      fields: { on: 'api' },
      inputs: html`${choice('Fault', 'fault', API_FAULTS)} ${field('Route', 'route', 'POST /v1/*')}
      ${field('Probability', 'probability', '1')} ${field('Times', 'times', '')}`,
    })}
  </div>`
}
