// What payers' browsers ask: a new session, the status, and whether a session is paid.
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import type { Bench } from '../bench.ts'
import { httpRequest } from '../load/http-requests.ts'
import { bookingId, sessionId } from '../lives/ids.ts'
import { median } from '../measure.ts'
import type { BenchOptions } from '../options.ts'
import { show } from '../report.ts'
import type { Section } from '../report.ts'
import { JWT_SECRET, startGatewaySystem } from '../systems/gateway.ts'
import type { GatewaySystem } from '../systems/gateway.ts'
import { startServer } from '../systems/system.ts'
import { measureWebhooks } from './measure-webhooks.ts'
import type { LoadRun } from '../load/client.ts'

const SANDBOX = fileURLToPath(new URL('../../services/stripe-sandbox/src/main.ts', import.meta.url))
const API = '/api/v1/payment-gateway'
const CONNECTIONS = 32

type Kind = {
  readonly name: string
  readonly perSecond: number
  readonly request: (tag: string, index: number) => Buffer
  /** Whether the rows are made by payments that were paid before. */
  readonly paid: boolean
}

export async function apiRows(bench: Bench, options: BenchOptions): Promise<Section> {
  const sandbox = await startServer({
    script: SANDBOX,
    port: await bench.nextPort(),
    ready: '/',
    env: { LOG_LEVEL: 'silent' },
  })
  const gateway = await startGatewaySystem({
    name: 'gateway',
    databaseUrl: await bench.database('gateway_api'),
    ports: [await bench.nextPort()],
    bookingPort: bench.load.bookingPort,
    stripeBase: `http://127.0.0.1:${sandbox.port}`,
  })
  try {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('cus_bench')
      .setExpirationTime('6h')
      .sign(new TextEncoder().encode(JWT_SECRET))
    const headers = { authorization: `Bearer ${token}` }
    const kinds: readonly Kind[] = [
      {
        name: 'POST /sessions (the sandbox as Stripe, same two cores)',
        perSecond: 100,
        paid: false,
        request: (tag, index) =>
          httpRequest(
            'POST',
            `${API}/sessions`,
            headers,
            JSON.stringify({ bookingId: bookingId(tag, index) }),
          ),
      },
      {
        name: 'GET /payments/:bookingId/status',
        perSecond: 1500,
        paid: true,
        request: (tag, index) =>
          httpRequest('GET', `${API}/payments/${bookingId(tag, index % options.paid)}/status`, headers),
      },
      {
        name: 'GET /sessions/:sessionId/verify, paid',
        perSecond: 1500,
        paid: true,
        request: (tag, index) =>
          httpRequest('GET', `${API}/sessions/${sessionId(tag, index % options.paid)}/verify`, headers),
      },
    ]
    const paidTag = await paidPayments(bench, gateway, options.paid)
    const runs = new Map<Kind, LoadRun[]>(kinds.map((kind) => [kind, []]))
    for (let round = 0; round < options.rounds; round += 1)
      for (const kind of kinds) {
        const tag = kind.paid ? paidTag : bench.nextTag()
        const count = Math.max(Math.round(kind.perSecond * options.seconds), 50)
        await bench.load.prepareRequests(
          Array.from({ length: count }, (_, index) => kind.request(tag, index)),
        )
        runs.get(kind)?.push(
          await bench.load.run({
            ports: gateway.ports,
            connections: CONNECTIONS,
            model: { kind: 'closed' },
          }),
        )
      }
    return {
      title: `What browsers ask, closed model, ${CONNECTIONS} connections`,
      note: '',
      rows: [...runs].map(([{ name }, those]) => ({ name, cells: cellsOf(those) })),
      raw: Object.fromEntries([...runs].map(([{ name }, those]) => [name, those])),
    }
  } finally {
    await gateway.stop()
    await sandbox.stop()
  }
}

async function paidPayments(bench: Bench, gateway: GatewaySystem, payments: number): Promise<string> {
  const { tag, problems } = await measureWebhooks(bench, gateway, {
    payments,
    connections: CONNECTIONS,
    model: { kind: 'closed' },
  })
  if (problems.length > 0) throw new Error(`the payments to look at are not right: ${problems[0]}`)
  return tag
}

function cellsOf(runs: readonly LoadRun[]): Record<string, string> {
  const of = (read: (run: LoadRun) => number): string => show(median(runs.map(read)))
  const refused = runs.flatMap((run) => Object.entries(run.refused))
  return {
    'requests/s': of((run) => run.answered / run.seconds),
    'p50 ms': of(({ latency }) => latency.p50),
    p95: of(({ latency }) => latency.p95),
    p99: of(({ latency }) => latency.p99),
    max: of(({ latency }) => latency.max),
    answers: refused.length === 0 ? 'all 2xx' : `VOID: ${refused[0]?.join(' × ')}`,
  }
}
