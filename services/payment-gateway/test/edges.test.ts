import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createLog } from '@passerelle/kit/log'
import fc from 'fast-check'
import { createBookingClient } from '../src/outbox/booking.client.ts'
import { createAllowlist, entriesOf } from '../src/stripe/allowlist.ts'
import {
  call,
  deliver,
  eventJson,
  SERVICE_TOKEN,
  signatureOf,
  startGatewayWith,
  startPlatform,
  tokenOf,
} from './platform.ts'
import type { Answer, Platform } from './platform.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform({
    webhooks: false,
    env: {
      RATE_LIMIT_PER_MINUTE: '40',
      RATE_LIMIT_FAILURES_PER_MINUTE: '20',
      CHECKOUTS_PER_CUSTOMER_PER_HOUR: '3',
      LOG_LEVEL: 'silent',
    },
  })
})
after(() => platform.stop())

const statusesOf = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

describe('a flood of requests', () => {
  it('without a valid signature is limited, with slow senders beside it, while every signed event passes', async () => {
    const slow = Array.from({ length: 100 }, () => {
      const socket = connect(platform.gateway.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('POST /api/v1/payment-gateway/webhooks/stripe HTTP/1.1\r\nHost: x\r\nX-Slow: ')
      return socket
    })
    const payload = (index: number) =>
      eventJson('customer.created', { id: `cus_${index}`, object: 'customer' }, { id: `evt_flood_${index}` })
    const bad: Promise<Answer>[] = []
    const good: Promise<Answer>[] = []
    for (let index = 0; index < 300; index += 1) {
      bad.push(deliver(platform, payload(index), signatureOf(payload(index), { secret: 'whsec_guessed' })))
      if (index % 3 === 0) good.push(deliver(platform, payload(index)))
    }
    const answers = await Promise.all(bad)
    assert.deepEqual(statusesOf(await Promise.all(good)), { 200: 100 })
    const counts = statusesOf(answers)
    assert.deepEqual(Object.keys(counts), ['400', '429'])
    assert.ok((counts['400'] ?? 0) <= 25, JSON.stringify(counts))
    const refused = answers.find(({ status }) => status === 429)
    assert.match(refused?.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    for (const socket of slow) socket.destroy()
  })

  it('with wrong tokens is limited by address, and a valid token beside it is not', async () => {
    const wrong = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        call(platform, 'GET', '/payments/none/status', { bearer: `guess-${index}` }),
      ),
    )
    const counts = statusesOf(wrong)
    assert.ok((counts['429'] ?? 0) >= 30, JSON.stringify(counts))
    const limited = wrong.find(({ status }) => status === 429)
    assert.equal(limited?.body.error.code, 'RATE_LIMITED')
    assert.match(limited?.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    assert.equal((await call(platform, 'GET', '/payments/none/status', { as: 'cus_calm' })).status, 404)
  })

  it('of one customer is limited, of operators and services not, nor is another customer', async () => {
    const ask = (as: string) => call(platform, 'GET', '/payments/none/status', { as })
    const own = await Promise.all(Array.from({ length: 60 }, () => ask('cus_eager')))
    assert.ok((statusesOf(own)['429'] ?? 0) >= 10, JSON.stringify(statusesOf(own)))
    assert.equal((await ask('cus_other')).status, 404)
    for (const bearer of [SERVICE_TOKEN, await tokenOf('ops', ['operator'])]) {
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => call(platform, 'GET', '/payments/none/status', { bearer })),
      )
      assert.deepEqual(statusesOf(answers), { 404: 60 })
    }
  })

  it('with nothing but status tokens is limited by address', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        call(platform, 'GET', `/payments/none/status?token=${index}`, { as: null }),
      ),
    )
    const counts = statusesOf(answers)
    assert.ok((counts['404'] ?? 0) >= 40 && (counts['429'] ?? 0) >= 10, JSON.stringify(counts))
  })
})

describe('beginning payment after payment', () => {
  it('is refused after as many new attempts as an hour allows, over all processes; the open one is still given', async () => {
    const other = await startGatewayWith({ ...platform.env, PORT: '0' })
    try {
      const gateways = [platform.gateway, other]
      const bookings = Array.from({ length: 4 }, () => platform.addBooking({ customerId: 'cus_tester' }))
      const open = (index: number) =>
        call({ gateway: gateways[index % 2]! }, 'POST', '/sessions', {
          as: 'cus_tester',
          body: { bookingId: bookings[index]?.id },
        })
      for (const index of [0, 1, 2]) assert.equal((await open(index)).status, 200)
      const refused = await open(3)
      assert.deepEqual([refused.status, refused.body.error.code], [429, 'RATE_LIMITED'])
      assert.ok(Number(refused.headers.get('retry-after')) > 3000)
      assert.equal((await open(0)).status, 200)
      const { rows } = await platform.pool.query('select 1 from payments where booking_id = $1', [
        bookings[3]?.id,
      ])
      assert.equal(rows.length, 0, 'what is refused leaves nothing behind')
    } finally {
      await other.stop()
    }
  })
})

describe('the list of allowed addresses', () => {
  it('is read as Stripe publishes it, as JSON or as lines, and not at all when one entry is odd', () => {
    assert.deepEqual(entriesOf('{"WEBHOOKS":["3.18.12.63","3.130.192.0/24"]}'), [
      '3.18.12.63',
      '3.130.192.0/24',
    ])
    assert.deepEqual(entriesOf('["2001:db8::/32"]'), ['2001:db8::/32'])
    assert.deepEqual(entriesOf('# Stripe\n3.18.12.63\n\n3.130.192.231 # Ohio\n'), [
      '3.18.12.63',
      '3.130.192.231',
    ])
    for (const bad of [
      '',
      '[]',
      '{"API":["1.2.3.4"]}',
      '1.2.3.4\nevil',
      '0.0.0.0/0',
      '::/0',
      '1.0.0.0/4',
      '<html>',
      '1.2.3.4/33',
    ])
      assert.throws(() => entriesOf(bad), bad)
  })

  it('follows its file, and keeps the last good list while the file is away or broken: it is never open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'passerelle-list-'))
    const source = join(folder, 'stripe.txt')
    try {
      writeFileSync(source, '192.0.2.1\n')
      const list = createAllowlist({
        setting: 'on',
        source,
        log: createLog({ name: 'test', level: 'silent' }),
      })
      assert.ok(list)
      assert.ok(
        list.allows('3.18.12.63') && !list.allows('192.0.2.1'),
        'before it is read, the built-in list',
      )
      await list.refresh()
      assert.ok(list.allows('192.0.2.1') && !list.allows('3.18.12.63'))
      assert.ok(list.allows('::ffff:192.0.2.1'), 'the same address as IPv6 writes it')
      for (const broken of ['', '0.0.0.0/0', 'nonsense']) {
        writeFileSync(source, broken)
        await list.refresh()
        assert.ok(list.allows('192.0.2.1') && !list.allows('203.0.113.9'), broken)
      }
      rmSync(source)
      await list.refresh()
      assert.ok(list.allows('192.0.2.1') && !list.allows('203.0.113.9'))
      list.stop()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('what the gateway calls', () => {
  it('is always the booking service at the address of one booking, whatever the id: no other address, no redirect', async () => {
    const called: string[] = []
    const server = createServer((request, response) => {
      called.push(`${request.method} ${request.url}`)
      response.writeHead(307, { location: '/api/v1/admin/everything' }).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = createBookingClient({ url: `http://127.0.0.1:${port}`, serviceToken: SERVICE_TOKEN })
    const update = {
      status: 'confirmed',
      paymentIntentId: 'pi_1',
      version: 1,
      paymentId: 'pay_1',
      amountMinor: 1,
      currency: 'eur',
    } as const
    const nasty = fc.constantFrom(
      '..',
      '.',
      '../../admin/x?',
      '%2e%2e',
      '..%2f..',
      'a/../../b',
      '\\..\\',
      '@evil.test',
      '//evil.test',
      'a b',
      'a\r\nHost: evil',
      '\0',
      '?',
      '#',
      '',
    )
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(nasty, fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{1,100}$/)),
          async (id) => {
            assert.notEqual((await client.find(id)).kind, 'found')
            assert.notEqual((await client.announce(id, update, 'dlv_1')).outcome, 'delivered')
          },
        ),
        { numRuns: 150 },
      )
    } finally {
      server.closeAllConnections()
      server.close()
    }
    assert.ok(called.length > 50)
    for (const request of called)
      assert.match(
        request,
        /^(?:GET \/api\/v1\/bookings\/[A-Za-z0-9_-]+|PUT \/api\/v1\/bookings\/[A-Za-z0-9_-]+\/payment-status)$/,
      )
  })

  it('believes no answer about another booking, and none that is endless', async () => {
    const another = {
      id: 'mine',
      status: 'pending',
      customerId: 'c',
      tourName: '',
      amountMinor: 1,
      currency: 'eur',
    }
    let poured = 0
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const pour = (): void => {
        if (response.destroyed) return
        poured += 1
        response.write('x'.repeat(65_536))
      }
      if (request.url?.endsWith('other')) response.end(JSON.stringify({ data: another }))
      else {
        response.on('drain', pour)
        pour()
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = createBookingClient({ url: `http://127.0.0.1:${port}`, serviceToken: SERVICE_TOKEN })
    try {
      assert.equal((await client.find('other')).kind, 'unavailable')
      assert.equal((await client.find('endless')).kind, 'unavailable')
      assert.ok(poured < 500, 'it hung up long before its time-out')
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('sends the payer back to the shop only: no input of theirs is in the address of the success or cancel page', async () => {
    const booking = platform.addBooking({ customerId: 'cus_return' })
    const { body } = await call(platform, 'POST', '/sessions', {
      as: 'cus_return',
      body: {
        bookingId: booking.id,
        successUrl: 'https://evil.test',
        success_url: 'https://evil.test',
        returnUrl: 'https://evil.test',
        tourName: 'https://evil.test',
      },
      headers: {
        host: 'evil.test',
        'x-forwarded-host': 'evil.test',
        origin: 'https://evil.test',
        referer: 'https://evil.test',
      },
    })
    const session = (await (
      await fetch(`${platform.sandbox.url}/v1/checkout/sessions/${body.data['sessionId']}`, {
        headers: { authorization: 'Bearer sk_test_platform' },
      })
    ).json()) as Record<string, string>
    for (const field of ['success_url', 'cancel_url'])
      assert.match(session[field] ?? '', /^http:\/\/localhost:5173\/payment-(?:success|cancel)\?/)
    const away = await fetch(`${platform.gateway.url}/docs?next=https://evil.test`, {
      redirect: 'manual',
      headers: { 'x-forwarded-host': 'evil.test' },
    })
    assert.doesNotMatch(away.headers.get('location') ?? '', /evil/)
  })
})
