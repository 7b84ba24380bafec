// The command line against a real sandbox: what a person types, what is printed, and the exit code.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Stripe from 'stripe'
import { greetingOf } from '../src/command/greeting.ts'
import { RECIPES } from '../src/command/recipes.ts'
import { run } from '../src/command/run.ts'
import type { World } from './merchant.ts'
import { SECRET, sessionParams, startWorld } from './merchant.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

let world: World
// A test that fails must not leave its terminal listening for ever.
const terminals: AbortController[] = []
before(async () => {
  world = await startWorld()
})
beforeEach(() => {
  world.receiver.received.length = 0
  world.receiver.answer = () => 200
})
after(async () => {
  for (const stopping of terminals) stopping.abort()
  await world.stop()
})

type Said = { readonly code: number; readonly out: string; readonly err: string }

async function type(line: string, url = world.sandbox.url): Promise<Said> {
  const terminal = open(line, url)
  return { code: await terminal.ended, ...terminal.said() }
}

function open(line: string, url = world.sandbox.url) {
  const out: string[] = []
  const err: string[] = []
  const stopping = new AbortController()
  terminals.push(stopping)
  const watchers = new Set<() => void>()
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  const ended = run(words, {
    url,
    print: (text) => {
      out.push(text)
      for (const watch of watchers) watch()
    },
    complain: (text) => err.push(text),
    signal: stopping.signal,
  })
  const said = () => ({ out: out.join('\n'), err: err.join('\n') })
  return {
    ended,
    said,
    until: async (pattern: RegExp): Promise<RegExpExecArray> => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
      const watch = (): void => {
        const found = pattern.exec(said().out)
        if (found) resolve(found)
      }
      const limit = setTimeout(
        () => reject(new Error(`${pattern} was not printed, only:\n${said().out}`)),
        10_000,
      )
      watchers.add(watch)
      watch()
      return promise.finally(() => {
        clearTimeout(limit)
        watchers.delete(watch)
      })
    },
    stop: async (): Promise<number> => {
      stopping.abort()
      return ended
    },
  }
}

describe('passerelle-sandbox listen', () => {
  test('prints the secret as Stripe’s command line does, forwards signed events, and shows the answers', async () => {
    for (const { id } of (await world.stripe.webhookEndpoints.list()).data) {
      await world.stripe.webhookEndpoints.update(id, { disabled: true })
    }
    const terminal = open(`listen --forward-to ${world.receiver.url.replace('http://', '')}`)
    await terminal.until(
      new RegExp(
        `^> Ready! You are using Stripe API Version \\[${Stripe.API_VERSION}\\]\\. Your webhook signing secret is ${SECRET} \\(\\^C to quit\\)$`,
      ),
    )
    await world.stripe.customers.create({ name: 'Ana' })
    const [, id] = await terminal.until(/--> customer\.created \[(evt_\w+)\]/)
    await terminal.until(new RegExp(`<-- {2}\\[200\\] POST ${world.receiver.url} \\[${id}\\]`))
    const [{ body, headers } = assert.fail()] = world.receiver.received
    world.stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), SECRET)
    assert.equal(world.receiver.received.length, 1)
    assert.equal(await terminal.stop(), 0)
    for (const endpoint of (await world.stripe.webhookEndpoints.list()).data) {
      await world.stripe.webhookEndpoints.update(endpoint.id, { disabled: false })
    }
  })

  test('prints only the secret when asked to', async () => {
    assert.deepEqual(await type('listen --print-secret'), { code: 0, out: SECRET, err: '' })
  })

  test('refuses a target that is no address', async () => {
    const { code, err } = await type('listen --forward-to "http://"')
    assert.deepEqual([code, err], [2, '--forward-to http:// is no address. See: passerelle-sandbox help'])
  })
})

describe('passerelle-sandbox trigger', { concurrency: 6 }, () => {
  for (const name of Object.keys(RECIPES)) {
    test(`${name} makes that event happen and names it`, async () => {
      const { code, out, err } = await type(`trigger ${name}`)
      assert.deepEqual([code, err], [0, ''])
      const [, id = ''] = new RegExp(`^${name} (evt_\\w+) about `).exec(out) ?? []
      assert.equal((await world.stripe.events.retrieve(id)).type, name)
    })
  }

  test('names what it can, and says so of what it cannot', async () => {
    assert.deepEqual((await type('trigger --list')).out.split('\n'), Object.keys(RECIPES))
    const { code, err } = await type('trigger invoice.paid')
    assert.equal(code, 2)
    assert.match(err, /cannot make invoice\.paid happen by itself; "trigger --list" names what it can\./)
  })
})

describe('passerelle-sandbox resend', () => {
  test('sends an event again and says what was answered', async () => {
    await world.stripe.customers.create({})
    await world.receiver.until((received) => received.length === 1)
    const id = world.receiver.received[0]?.event.id ?? ''
    const { code, out } = await type(`resend ${id}`)
    assert.equal(code, 0)
    assert.match(out, new RegExp(`^${id} to we_\\w+: 200$`))
    assert.equal(world.receiver.received.length, 2)
    world.receiver.answer = () => 500
    const refused = await type(`resend ${id}`)
    assert.deepEqual([refused.code, refused.err], [1, 'Nobody took it.'])
    assert.match(refused.out, /: 500$/)
  })

  test('of an unknown event is refused in the sandbox’s words', async () => {
    const { code, err } = await type('resend evt_none')
    assert.deepEqual([code, err], [1, "No such event: 'evt_none'"])
  })
})

describe('passerelle-sandbox clock, faults and reset', () => {
  test('clock shows, advances and changes its pace', async () => {
    const session = await world.stripe.checkout.sessions.create(sessionParams())
    assert.match((await type('clock')).out, /^20\d\d-.*Z \(real time\)$/)
    assert.match((await type('clock speed 0')).out, /\(it stands\)$/)
    await type('clock advance 25h')
    assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).status, 'expired')
    await type('clock speed 1')
    const { code, err } = await type('clock advance tomorrow')
    assert.equal(code, 2)
    assert.match(err, /Say how far: 90s, 10m, 1h or 7d\./)
  })

  test('faults adds to what goes wrong, counts it, and ends it', async () => {
    const added = await type('faults api error_before --route "POST /v1/products" --times 2 --seed 9')
    assert.match(added.out, /^api POST \/v1\/products: error_before, 2 more times; struck 0 times\nseed 9$/)
    await assert.rejects(world.stripe.products.create({ name: 'Kayak' }))
    const both = await type('faults webhook drop --type "price.*"')
    assert.match(both.out, /error_before, 1 more times; struck 0 times\nwebhook price\.\*: drop, without end/)
    assert.equal((await type('faults off')).out, 'No faults: everything goes well.')
    const { code, err } = await type('faults api shuffle')
    assert.equal(code, 2)
    assert.match(err, /Say which fault of the api: rate_limit, /)
  })

  test('reset forgets what was made', async () => {
    const { id } = await world.stripe.customers.create({})
    assert.equal((await type('reset')).out, 'The sandbox is empty.')
    await assert.rejects(world.stripe.customers.retrieve(id))
  })
})

describe('passerelle-sandbox', () => {
  test('shows what there is to type, and how', async () => {
    const { code, out } = await type('help')
    assert.equal(code, 0)
    for (const name of ['start', 'listen', 'trigger', 'resend', 'clock', 'faults', 'reset']) {
      assert.match(out, new RegExp(`^ {2}${name} `, 'm'))
      assert.match((await type(`help ${name}`)).out, new RegExp(`^passerelle-sandbox ${name}: `))
    }
  })

  test('refuses what it does not know, and options that a command would ignore', async () => {
    assert.deepEqual(await type('lisen'), {
      code: 2,
      out: '',
      err: 'There is no command "lisen". See: passerelle-sandbox help',
    })
    assert.deepEqual((await type('reset --events x')).code, 2)
    assert.deepEqual((await type('reset everything')).code, 2)
  })

  test('says what to do where no sandbox answers', async () => {
    const { code, err } = await type('reset', 'http://127.0.0.1:9')
    assert.equal(code, 1)
    assert.match(
      err,
      /^No sandbox answers at http:\/\/127\.0\.0\.1:9\. Start one with "passerelle-sandbox start"/,
    )
  })

  test('start runs a sandbox where the options say, and other processes drive it', async (t) => {
    const started = spawn(
      process.execPath,
      [MAIN, 'start', '--port', '0', '--forward-to', 'localhost:9/hooks', '--secret', 'whsec_of_start_0123'],
      {
        env: { ...process.env, LOG_LEVEL: 'info', PASSERELLE_PARENT_PID: '' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    t.after(() => started.kill())
    let log = ''
    started.stdout.setEncoding('utf8').on('data', (text: string) => (log += text))
    while (!/"url":"([^"]+)"/.test(log)) await once(started.stdout, 'data')
    const [, url = ''] = /"url":"([^"]+)"/.exec(log) ?? []
    assert.match(log, /"webhooks":"http:\/\/localhost:9\/hooks"/)
    assert.ok(!log.includes('whsec_'), 'a log is no place for a secret')
    const command = spawn(process.execPath, [MAIN, 'listen', '--print-secret', '--url', url])
    let printed = ''
    command.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
    assert.deepEqual(await once(command, 'close'), [0, null])
    assert.equal(printed, 'whsec_of_start_0123\n')
    started.kill('SIGTERM')
    await once(started, 'exit')
  })

  test('start tells a person where everything is, and the secret that signs', () => {
    const greeting = greetingOf(world.sandbox, 'http://localhost:1', world.receiver.url)
    assert.match(greeting, new RegExp(`host 127\\.0\\.0\\.1, port ${world.sandbox.port}, protocol http,`))
    assert.match(greeting, /http:\/\/localhost:1\/_sandbox/)
    assert.ok(greeting.includes(`${world.receiver.url}, signed with ${SECRET}`))
    assert.match(greetingOf(world.sandbox, 'http://localhost:1', undefined), /nowhere yet/)
  })

  test('start refuses an option it does not know', async () => {
    const started = spawn(process.execPath, [MAIN, 'start', '--prot', '1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let complaint = ''
    started.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    assert.deepEqual((await once(started, 'close'))[0], 1)
    assert.match(complaint, /cannot start: Unknown option '--prot'\. See: passerelle-sandbox help start/)
  })
})
