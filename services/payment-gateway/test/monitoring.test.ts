import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { call, deliver, eventJson, eventually, payAtSandbox, signatureOf, startPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

const ROOT = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const alerts = read('ops/alerts.yml')
const runbook = read('docs/operations.md')

let platform: Platform
let metrics: string
before(async () => {
  platform = await startPlatform()
  const booking = platform.addBooking()
  const { body } = await call(platform, 'POST', '/sessions', { body: { bookingId: booking.id } })
  await payAtSandbox(platform, body.data['sessionId'] ?? '')
  await eventually('the confirmation', () => platform.booking.toldOf(booking.id).length > 0)
  const unsigned = eventJson('customer.created', { id: 'cus_1', object: 'customer' })
  await deliver(platform, unsigned, signatureOf(unsigned, { secret: 'whsec_wrong' }))
  metrics = await (await fetch(`${platform.gateway.url}/metrics`)).text()
})
after(() => platform.stop())

/** `name{label="value"}` selectors of an expression: the metric and the labels it is asked for. */
function selectorsOf(expression: string): { metric: string; labels: string[]; bucket: string | null }[] {
  return [...expression.matchAll(/\b((?:passerelle|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', selector = '']) => ({
      metric,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label ?? ''),
      bucket: /\ble="([^"]+)"/.exec(selector)?.[1] ?? null,
    }),
  )
}

function isExposed({ metric, labels, bucket }: ReturnType<typeof selectorsOf>[number]): boolean {
  return metrics.split('\n').some((line) => {
    if (!line.startsWith(`${metric}{`) && !line.startsWith(`${metric} `)) return false
    return (
      labels.every((label) => line.includes(`${label}="`)) &&
      (bucket === null || line.includes(`le="${bucket}"`))
    )
  })
}

describe('the alert rules and the dashboard', () => {
  it('name only metrics, labels and buckets that /metrics exposes', () => {
    const dashboard = JSON.parse(read('ops/grafana-dashboard.json')) as {
      panels: { targets: { expr: string }[] }[]
    }
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    // Those of the booking service are its own test's.
    const asked = [...expressions, alerts]
      .flatMap(selectorsOf)
      .filter(({ metric }) => !metric.startsWith('passerelle_booking_service_'))
    assert.ok(asked.length > 50)
    assert.deepEqual(
      asked.filter((selector) => !isExposed(selector)),
      [],
    )
  })

  it('are loaded by Prometheus itself', (test) => {
    try {
      execFileSync('promtool', ['check', 'config', 'ops/prometheus.yml'], { cwd: ROOT, stdio: 'pipe' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      test.skip('promtool (of the package prometheus) is not installed on this machine')
    }
  })

  it('lead from every alert to its heading in the runbook', () => {
    const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? '')
    assert.ok(names.length >= 15)
    for (const name of names) {
      assert.ok(runbook.includes(`\n### ${name}\n`), `no heading for ${name}`)
      assert.ok(
        alerts.includes(`runbook: docs/operations.md#${name.toLowerCase()}\n`),
        `no runbook for ${name}`,
      )
    }
  })
})

describe('/metrics', () => {
  it('counts what happened, and stays as small however many payments there are: no label holds an id', async () => {
    assert.match(metrics, /^passerelle_stripe_events_total\{outcome="processed"\} [1-9]/m)
    assert.match(metrics, /^passerelle_webhooks_refused_total\{because="mismatch"\} 1$/m)
    assert.match(metrics, /^passerelle_booking_confirmed_seconds_count 1$/m)
    const seriesOf = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith('passerelle_'))
        .map((line) => line.slice(0, line.lastIndexOf(' ')))
    for (let index = 0; index < 20; index += 1) {
      await call(platform, 'GET', `/payments/booking-${index}/status`)
      await call(platform, 'GET', `/nowhere-${index}`)
    }
    const before = seriesOf(await (await fetch(`${platform.gateway.url}/metrics`)).text())
    for (let index = 20; index < 60; index += 1) {
      await call(platform, 'GET', `/payments/booking-${index}/status`)
      await call(platform, 'GET', `/nowhere-${index}`)
    }
    const after = seriesOf(await (await fetch(`${platform.gateway.url}/metrics`)).text())
    assert.deepEqual(after, before)
    assert.doesNotMatch(after.join('\n'), /booking-\d|nowhere|pay_|evt_|cus_/)
  })
})
