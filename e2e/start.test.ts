import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { runStart } from './start-command.ts'
import type { StartCommand } from './start-command.ts'
import { freshEnvironment, until } from './stack.ts'
import { checkWireLog } from '../tools/stripe-schema/sent.ts'

describe('npm start', { skip: process.platform !== 'linux' && 'looks at processes through /proc' }, () => {
  let dataDir: string
  let wireLog: string
  let env: Record<string, string>
  let commands: StartCommand[]

  const start = (more: Readonly<Record<string, string>> = {}): StartCommand => {
    const command = runStart({ ...env, ...more })
    commands.push(command)
    return command
  }
  const untilNothingRuns = async (command: StartCommand): Promise<void> => {
    const left = (): string => [...command.processes().values()].join('\n')
    await until('nothing is left', () => left() === '').catch(() => assert.equal(left(), ''))
  }
  const answers = async (port: string | undefined): Promise<boolean> => {
    const answer = await fetch(`http://localhost:${port}/healthz`).catch(() => null)
    return answer?.ok === true
  }

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'passerelle-start-'))
    wireLog = join(dataDir, 'wire.jsonl')
    env = { ...(await freshEnvironment(dataDir)), SANDBOX_WIRE_LOG: wireLog }
  })
  beforeEach(() => {
    commands = []
  })
  afterEach(async (test) => {
    for (const command of commands) command.signal('SIGTERM')
    for (const command of commands) await command.ended
    for (const command of commands) await untilNothingRuns(command)
    if ('passed' in test && !test.passed)
      process.stderr.write(`${commands.flatMap(({ lines }) => lines).join('\n')}\n`)
  })
  after(() => {
    try {
      if (existsSync(wireLog)) checkWireLog(wireLog)
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  })

  it('ends on Ctrl-C with 0 and leaves no process; started again it keeps its data', async () => {
    const first = start()
    await first.ready()
    const cookie = await signIn(env['BOOKING_PORT'])
    first.ctrlC()
    assert.equal(await first.ended, 0)
    assert.deepEqual([...first.processes().values()], [])

    const second = start()
    await second.ready()
    assert.equal(await customerOf(env['BOOKING_PORT'], cookie), cookie.customerId)
  })

  it('keeps what is secret readable by its owner alone', () => {
    for (const name of ['secrets.json', 'postgres/password'])
      assert.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name)
    assert.match(readFileSync(join(dataDir, 'secrets.json'), 'utf8'), /whsec_/)
  })

  for (const victim of ['tools/run.mjs', 'tools/start.ts', 'bin/postgres', 'payment-gateway'] as const)
    it(`survives a kill -9 of ${victim}: the next start just works`, async () => {
      const killed = start()
      await killed.ready()
      const [pid = 0] = [...killed.processes()].find(([, line]) => line.includes(victim)) ?? []
      process.kill(pid, 'SIGKILL')
      if (victim.startsWith('tools/')) {
        const next = start()
        await next.ready()
        await killed.ended
        assert.ok(await answers(env['GATEWAY_PORT']))
        return
      }
      await until('it says so', () => killed.lines.some((line) => line.includes('is started again')))
      await until('it is back', async () => {
        const answer = await fetch(`http://localhost:${env['GATEWAY_PORT']}/readyz`).catch(() => null)
        return answer?.ok
      })
    })

  it('starts a second copy beside the first with other ports, which keeps its data apart and says where', async () => {
    const first = start()
    await first.ready()
    const ports = await freshEnvironment(dataDir)
    const second = start(ports)
    await second.ready()
    const copy = join(dataDir, `copy-${ports['GATEWAY_PORT']}`)
    assert.ok(
      second.lines.some((line) => line.includes(copy)),
      second.lines.join('\n'),
    )
    assert.ok((await answers(env['GATEWAY_PORT'])) && (await answers(ports['GATEWAY_PORT'])))
    assert.notEqual(
      readFileSync(join(dataDir, 'secrets.json'), 'utf8'),
      readFileSync(join(copy, 'secrets.json'), 'utf8'),
    )
  })

  it('with the same ports as a living copy says which ports are taken, and disturbs nobody', async () => {
    const first = start()
    await first.ready()
    const second = start()
    assert.equal(await second.ended, 1)
    const said = second.lines.join('\n')
    for (const name of ['GATEWAY_PORT', 'BOOKING_PORT', 'SANDBOX_PORT', 'FRONTEND_PORT'])
      assert.match(said, new RegExp(`port ${env[name]} .* taken .*${name}=`))
    assert.ok(await answers(env['GATEWAY_PORT']))
  })

  it('names the port that another program has, on either loopback address, and the variable that changes it', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer()
      const isListening = await new Promise((resolve) => {
        server.once('error', () => resolve(false)).listen(0, host, () => resolve(true))
      })
      // A machine without IPv6 has no ::1 to be taken.
      if (!isListening) continue
      const { port } = server.address() as { port: number }
      const command = start({ FRONTEND_PORT: String(port) })
      assert.equal(await command.ended, 1)
      server.close()
      assert.match(
        command.lines.join('\n'),
        new RegExp(`port ${port} \\(frontend\\) is taken .*FRONTEND_PORT=`),
      )
    }
  })

  it('refuses a real Stripe key without a webhook secret, and says how to get one', async () => {
    const command = start({ STRIPE_SECRET_KEY: 'sk_live_0123456789' })
    assert.equal(await command.ended, 1)
    const said = command.lines.join('\n')
    assert.match(said, /STRIPE_WEBHOOK_SECRET.*stripe listen/)
    assert.doesNotMatch(said, /sk_live_0123456789/)
  })

  it('with a real Stripe key starts no sandbox and says which Stripe it calls, without the key', async () => {
    const command = start({
      STRIPE_SECRET_KEY: 'sk_live_0123456789',
      STRIPE_WEBHOOK_SECRET: 'whsec_0123456789',
      // Nothing listens there: a test calls nobody.
      STRIPE_API_BASE: 'http://127.0.0.1:9',
    })
    await command.ready()
    const said = command.lines.join('\n')
    assert.match(said, /Stripe +http:\/\/127\.0\.0\.1:9, LIVE mode/)
    assert.doesNotMatch(said, /0123456789/)
    assert.ok(![...command.processes().values()].some((line) => line.includes('stripe-sandbox')))
    const answer = await fetch(`http://localhost:${env['SANDBOX_PORT']}/_sandbox/health`).catch(() => null)
    assert.equal(answer, null)
  })

  it('names a data folder that cannot be written', async () => {
    const impossible = join(dataDir, 'secrets.json', 'below-a-file')
    const command = start({ DATA_DIR: impossible })
    assert.equal(await command.ended, 1)
    assert.match(command.lines.join('\n'), /data folder .*below-a-file cannot be written.*DATA_DIR/)
  })
})

type SignedIn = { readonly customerId: string; readonly cookie: string }

async function signIn(port: string | undefined): Promise<SignedIn> {
  const answer = await fetch(`http://localhost:${port}/api/v1/auth/demo`, { method: 'POST' })
  const { data } = (await answer.json()) as { data: { customerId: string } }
  return { customerId: data.customerId, cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' }
}

async function customerOf(port: string | undefined, { cookie }: SignedIn): Promise<string> {
  const answer = await fetch(`http://localhost:${port}/api/v1/auth/demo`, {
    method: 'POST',
    headers: { cookie },
  })
  const { data } = (await answer.json()) as { data: { customerId: string } }
  return data.customerId
}
