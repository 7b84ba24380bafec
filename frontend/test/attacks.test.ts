// What somebody may send to the frontend's server who wants more than a page.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import fc from 'fast-check'
import { createLog } from '@passerelle/kit/log'
import { createApp } from '../server/app.ts'
import { keepAccessLines, keyOf } from '../server/access-cookie.ts'
import { builtSite } from '../server/build-site.ts'
import { frontendConfig } from '../server/config.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 60)
const SEED = Number(process.env['FUZZ_SEED'] ?? 4_304_242)
const ANSWER_MS_MAX = 10_000
const EVIL = [
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  '</title><img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  '//evil.test',
  'https://evil.test',
  '\\\\evil.test',
  '\r\nset-cookie: a=b',
  '%0d%0aset-cookie:%20a=b',
  '__LANDING__',
  '$&$`$1',
  '../../../../etc/passwd',
  '%2e%2e%2f%2e%2e%2fetc/passwd',
  '\0',
  '%00',
] as const

let server: FastifyInstance
let port = 0

before(async () => {
  // Nobody answers at the gateway's address: every page is made from what the browser brought alone.
  const config = frontendConfig({ GATEWAY_URL: 'http://127.0.0.1:9' })
  server = await createApp(config, {
    site: await builtSite(() => undefined),
    log: createLog({ name: 'frontend', level: 'silent' }),
  })
  await server.listen({ port: 0, host: '127.0.0.1' })
  port = (server.server.address() as AddressInfo).port
})
after(() => server.close())

/** The bytes that come back for these bytes, until the server closes. */
async function raw(bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    let text = ''
    socket.setTimeout(ANSWER_MS_MAX, () => reject(new Error(`no answer to ${bytes.slice(0, 80)}`)))
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    // A reset is an answer too.
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
}

async function get(
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<string> {
  const lines = Object.entries({ host: 'localhost', connection: 'close', ...headers })
  return await raw(
    `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  )
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
const headOf = (answer: string): string => answer.split('\r\n\r\n', 1)[0] ?? ''

/** What no answer may be, whatever was asked: a crash, a file from outside the site, a script or header of the asker's. */
function checkAnswer(answer: string, asked: string): void {
  assert.ok(statusOf(answer) < 500, `${asked}: ${answer.slice(0, 300)}`)
  assert.doesNotMatch(answer, /root:x:|"workspaces"|node_modules|at \w+ \(|import fastify/, asked)
  assert.doesNotMatch(answer, /<script>|<img src=x|<[^>]+ on\w+=|href="javascript:/i, asked)
  const head = headOf(answer)
  assert.doesNotMatch(head, /^set-cookie: a=b/im, asked)
  const [, location] = /^location: (.*)$/im.exec(head) ?? []
  if (location !== undefined) assert.match(location, /^\/payment-(?:success|cancel|status)(?:\?|$)/, asked)
}

test('no path leads out of the site’s own files, however it is written', async () => {
  for (const target of [
    '/../package.json',
    '/../../package.json',
    '/assets/../../server/main.ts',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/%252e%252e/package.json',
    '/assets/..\\..\\package.json',
    '/assets/%5c..%5c..%5cpackage.json',
    '/%00/etc/passwd',
    '//etc/passwd',
    '/assets//../../../etc/passwd',
    '/icon.svg%00.html',
    '/icon.svg/',
    '/.env',
    '/payment-server.js',
    '/%c0%ae%c0%ae/package.json',
    'file:///etc/passwd',
    'http://evil.test/../package.json',
    'http://[/payment-success',
    '//evil.test/payment-success',
  ]) {
    const answer = await get(target)
    checkAnswer(answer, target)
    assert.ok([400, 403, 404].includes(statusOf(answer)), `${target}: ${statusOf(answer)}`)
  }
})

test('what is no request, too large or of an odd method is refused or cut off, and the next one is served', async () => {
  for (const [bytes, statuses] of [
    [`GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(100_000)}\r\n\r\n`, [431]],
    [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, [431]],
    [`GET / HTTP/1.1\r\nhost: x\r\ncookie: ${'a=b; '.repeat(20_000)}\r\n\r\n`, [431]],
    ['POST /payment-access HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}', [400]],
    [
      'POST /payment-access HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      [400],
    ],
    ['GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', [400]],
    ['GET / HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n', [400]],
    ['TRACE / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', [400, 404, 405]],
    ['CONNECT evil.test:443 HTTP/1.1\r\nhost: x\r\n\r\n', [0, 400, 404, 405]],
    ['DELETE /payment-success HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', [404]],
    ['PROPFIND / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', [400, 404, 405]],
    ['nonsense\r\n\r\n', [400]],
  ] as const) {
    const answer = await raw(bytes)
    const expected: readonly number[] = statuses
    assert.ok(expected.includes(statusOf(answer)), `${bytes.slice(0, 60)}: ${answer.slice(0, 200)}`)
  }
  assert.equal(statusOf(await get('/', { accept: 'text/html' })), 200)
})

test('nothing in an address becomes a script, a header, or a way to another site', async () => {
  const text = fc.oneof(
    fc.constantFrom<string>(...EVIL),
    fc.string({ maxLength: 20 }),
    fc.constantFrom('bkg_1', 'cs_test_1', 'fr'),
  )
  const encoded = text.chain((value) =>
    fc.constantFrom(value.replace(/[\r\n\0 ]/g, ''), encodeURIComponent(value)),
  )
  const query = fc
    .array(
      fc.tuple(
        fc.constantFrom(
          'booking_id',
          'session_id',
          'lang',
          'ref',
          'return_to',
          'next',
          'redirect',
          'redirect_status',
          'x',
        ),
        encoded,
      ),
      { maxLength: 5 },
    )
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value.replace(/[^\x21-\x7e]/g, '')}`).join('&'))
  const path = fc.oneof(
    fc.constantFrom(
      '/payment-success',
      '/payment-cancel',
      '/payment-status',
      '/bookings/bkg_1',
      '//evil.test/payment-success',
      'http://evil.test/payment-success',
      'http://[/payment-success',
      '/payment-success/',
    ),
    encoded.map((value) => `/p/${value.replace(/[^\x21-\x7e]/g, '')}`),
    encoded.map((value) => `/tours/${value.replace(/[^\x21-\x7e]/g, '')}`),
    encoded.map((value) => `/${value.replace(/[^\x21-\x7e]/g, '')}`),
  )
  const header = text.map((value) => value.replace(/[^\x20-\x7e]/g, ''))
  await fc.assert(
    fc.asyncProperty(
      path,
      query,
      fc.record({ language: header, host: header, forwarded: header }),
      async (at, search, sent) => {
        const target = `${at}?${search}`
        const headers = {
          accept: 'text/html',
          'accept-language': sent.language,
          'x-forwarded-host': sent.host,
          'x-forwarded-for': sent.forwarded,
          cookie: keepAccessLines(undefined, ACCESS, false)[0]?.split(';')[0] ?? '',
        }
        const answer = await get(target, headers)
        // A link's page may say that the gateway is away: here it is.
        if (statusOf(answer) === 503 && at.startsWith('/p/')) return
        checkAnswer(answer, target)
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  )
})

const ACCESS = {
  bookingId: 'bkg_1',
  sessionId: 'cs_test_1',
  statusToken: 'a-status-token-of-some-length',
  expiresAt: null,
  tour: null,
  isMasked: false,
}

test('a cookie somebody made up is nothing, or text on its own page: never a crash, never a script', async () => {
  const evil = fc.oneof(
    fc.constantFrom<unknown>(...EVIL, null, 0, -1, [], {}, true),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const tour = fc.record({ name: evil, date: evil, seats: evil, timeZone: evil }, { requiredKeys: [] })
  const access = fc.record(
    {
      sessionId: evil,
      statusToken: fc.oneof(fc.constant('a-status-token-of-some-length'), evil),
      expiresAt: evil,
      tour: fc.oneof(tour, evil),
      isMasked: evil,
    },
    { requiredKeys: ['statusToken'] },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constant('bkg_1'), fc.constantFrom(...EVIL)),
      access,
      async (bookingId, kept) => {
        const key = keyOf(bookingId)
        const value = Buffer.from(JSON.stringify({ ...kept, bookingId })).toString('base64url')
        const answer = await get(`/payment-success?ref=${key}`, { cookie: `passerelle-pay-${key}=${value}` })
        checkAnswer(answer, JSON.stringify(kept))
        assert.equal(statusOf(answer), 200)
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  )
})
