import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get as httpsGet } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { createHttpServer, listen } from './http.ts'
import type { HttpServerOptions } from './http.ts'
import { createLog } from './log.ts'
import { testCertificate } from './test-certificate.ts'

const SHOP = 'https://shop.example'
const log = createLog({ name: 'test', level: 'silent' })
const draining = new AbortController()

async function start(over: Partial<HttpServerOptions> = {}) {
  const server = createHttpServer({
    log,
    corsOrigin: SHOP,
    trustedProxies: ['10.0.0.0/8', '127.0.0.0/8'],
    timeouts: { headersMs: 200, requestMs: 400, checkMs: 50, certificateMs: 20 },
    ...over,
  })
  server.get('/who', async ({ ip }) => ({ ip }))
  server.post('/echo', async ({ body }) => ({ body }))
  const { url, port } = await listen(server, { host: '127.0.0.1', port: 0 })
  return { url, port, stop: () => server.close() }
}

let server: Awaited<ReturnType<typeof start>>
before(async () => {
  server = await start({ draining: draining.signal })
})
after(() => server.stop())

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })

/** Sends bytes as they are, piece by piece, and resolves with everything that came back once the server hangs up. */
function raw(pieces: readonly string[], everyMs = 20): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(server.port, '127.0.0.1')
  const answer: Buffer[] = []
  let sent = 0
  const timer = setInterval(() => {
    const piece = pieces[sent]
    sent += 1
    if (piece !== undefined && socket.writable) socket.write(piece)
  }, everyMs)
  socket.on('data', (chunk: Buffer) => answer.push(chunk))
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(timer)
    resolve(Buffer.concat(answer).toString())
  })
  return promise
}

describe('every answer', () => {
  const HEADERS: Readonly<Record<string, RegExp>> = {
    'x-content-type-options': /^nosniff$/,
    'x-frame-options': /^DENY$/,
    'referrer-policy': /^no-referrer$/,
    'content-security-policy': /^default-src 'none'; frame-ancestors 'none'$/,
    'strict-transport-security': /^max-age=31536000/,
    'cross-origin-opener-policy': /^same-origin$/,
    'cross-origin-resource-policy': /^same-site$/,
    'cache-control': /^no-store$/,
  }

  it('carries the security headers, whatever its status', async () => {
    const answers = [
      await fetch(`${server.url}/who`),
      await fetch(`${server.url}/nowhere`),
      await fetch(`${server.url}/who`, { method: 'DELETE' }),
      await post('{'),
      await post('{}', { 'content-type': 'text/plain' }),
      await post(JSON.stringify({ long: 'x'.repeat(70_000) })),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 404, 404, 400, 415, 413],
    )
    for (const answer of answers)
      for (const [name, value] of Object.entries(HEADERS))
        assert.match(answer.headers.get(name) ?? '', value, `${name} of a ${answer.status}`)
  })

  it('carries them even when the request could not be parsed', async () => {
    const answer = (await raw(['BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n'])).toLowerCase()
    assert.match(answer, /^http\/1\.1 400 /)
    for (const name of Object.keys(HEADERS)) assert.ok(answer.includes(`\r\n${name}: `), name)
    assert.match(answer, /"success":false/)
  })

  it('names the request also when it could not be parsed or its address could not be read', async () => {
    for (const line of ['BREW /pot HTTP/1.1', 'GET /%zz HTTP/1.1']) {
      // Without asking for it the connection would stay open, for more than a minute.
      const answer = await raw([`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`])
      const named = /\r\nx-request-id: (\S+)\r\n/i.exec(answer)?.[1]
      assert.ok(named !== undefined && answer.includes(`"requestId":"${named}"`), answer)
      assert.match(answer, /\r\nx-content-type-options: nosniff\r\n/i)
    }
  })

  it('echoes a sane request id and makes up its own for any other', async () => {
    const idOf = async (id: string) =>
      (await fetch(`${server.url}/who`, { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    for (const sane of ['order-42:retry.1', 'req-1']) assert.equal(await idOf(sane), sane)
    for (const forged of ['with spaces in it', 'a'.repeat(129), '{"level":"error"}'])
      assert.notEqual(await idOf(forged), forged)
  })
})

describe('a body', () => {
  it('is JSON, of at most 64 kB and 32 levels, and no prototype in disguise', async () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    assert.equal((await post(nested(32))).status, 200)
    assert.equal((await post(nested(33))).status, 400)
    assert.equal((await post(nested(20_000))).status, 400)
    assert.equal((await post(JSON.stringify({ text: '['.repeat(100) }))).status, 200)
    assert.equal((await post('{"__proto__":{"admin":true}}')).status, 400)
    assert.equal((await post('{"constructor":{"prototype":{"admin":true}}}')).status, 400)
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/xml',
    ])
      assert.equal((await post('{}', { 'content-type': type })).status, 415, type)
  })
})

describe('a slow or oversized request', () => {
  it('loses its connection when its headers trickle in', async () => {
    const trickle = Array.from({ length: 200 }, (_, index) => `x-${index}: y\r\n`)
    const answer = await raw(['GET /who HTTP/1.1\r\nHost: x\r\n', ...trickle])
    assert.match(answer, /^HTTP\/1\.1 408 /)
  })

  it('loses its connection when its body trickles in', async () => {
    const trickle = Array.from({ length: 200 }, () => ' ')
    const head =
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n'
    assert.match(await raw([head, ...trickle]), /^HTTP\/1\.1 408 /)
  })

  it('is refused with 431 when its headers are larger than 16 kB', async () => {
    assert.match(
      await raw([`GET /who HTTP/1.1\r\nHost: x\r\nx-long: ${'y'.repeat(20_000)}\r\n\r\n`]),
      /^HTTP\/1\.1 431 /,
    )
  })

  it('is refused when it says its length twice or in two ways: no request can hide in another', async () => {
    const smuggled = 'GET /who HTTP/1.1\r\nHost: x\r\n\r\n'
    const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    for (const lengths of [
      'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n',
      'Content-Length: 2\r\nContent-Length: 40\r\n',
      'Transfer-Encoding: chunked, identity\r\n',
      'Content-Length: -1\r\n',
    ]) {
      const answer = await raw([`${head}${lengths}\r\n{}${smuggled}`])
      assert.match(answer, /^HTTP\/1\.1 400 /, lengths)
      assert.equal(answer.split('HTTP/1.1 ').length, 2, `one answer only: ${lengths}`)
    }
  })
})

describe('cross-origin calls', () => {
  it('are for the pages of the shop, credentials included, and for no other origin', async () => {
    const ask = (origin: string, method = 'GET') =>
      fetch(`${server.url}/who`, {
        method,
        headers: { origin, ...(method === 'OPTIONS' ? { 'access-control-request-method': 'POST' } : {}) },
      })
    const own = await ask(SHOP, 'OPTIONS')
    assert.deepEqual([own.status, own.headers.get('access-control-allow-origin')], [204, SHOP])
    for (const origin of [
      'https://shop.example.evil.test',
      'http://shop.example',
      'null',
      `${SHOP}:444`,
      '*',
    ])
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await ask(origin, method)
        assert.equal(headers.get('access-control-allow-origin'), null, origin)
        assert.equal(headers.get('access-control-allow-credentials'), null, origin)
        assert.match(headers.get('vary') ?? '', /Origin/)
      }
  })
})

describe('the address of a caller', () => {
  it('is the last one no trusted proxy vouches for: nobody chooses their own', async () => {
    const ipOf = async (forwarded: string) =>
      (
        (await (await fetch(`${server.url}/who`, { headers: { 'x-forwarded-for': forwarded } })).json()) as {
          ip: string
        }
      ).ip
    assert.equal(await ipOf('203.0.113.9'), '203.0.113.9')
    assert.equal(await ipOf('1.1.1.1, 203.0.113.9'), '203.0.113.9')
    assert.equal(await ipOf('1.1.1.1, 203.0.113.9, 10.1.2.3'), '203.0.113.9')
    const alone = await start({ trustedProxies: [] })
    try {
      const answer = await fetch(`${alone.url}/who`, {
        headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' },
      })
      assert.equal(((await answer.json()) as { ip: string }).ip, '127.0.0.1')
    } finally {
      await alone.stop()
    }
  })
})

describe('a process about to stop', () => {
  it('still answers, and asks its clients to go elsewhere', async () => {
    assert.notEqual((await fetch(`${server.url}/who`)).headers.get('connection'), 'close')
    draining.abort()
    const answer = await fetch(`${server.url}/who`)
    assert.deepEqual([answer.status, answer.headers.get('connection')], [200, 'close'])
  })
})

describe('TLS', () => {
  it('is spoken with a certificate and key, at least 1.2, and a renewed one is taken over without a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'passerelle-tls-'))
    const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
    const write = ({ cert, key }: { cert: string; key: string }): void => {
      writeFileSync(tls.certFile, cert)
      writeFileSync(tls.keyFile, key)
    }
    const first = testCertificate()
    write(first)
    const secure = await start({ tls })
    try {
      assert.match(secure.url, /^https:/)
      const status = await new Promise((resolve, reject) => {
        httpsGet(`https://localhost:${secure.port}/who`, { ca: first.cert }, (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        }).on('error', reject)
      })
      assert.equal(status, 200)
      const old = await new Promise((resolve) => {
        const socket = tlsConnect({
          port: secure.port,
          maxVersion: 'TLSv1.1',
          minVersion: 'TLSv1.1',
          ca: first.cert,
        })
        socket.on('secureConnect', () => resolve('connected'))
        socket.on('error', () => resolve('refused'))
      })
      assert.equal(old, 'refused')
      const nameOfCertificate = (): Promise<unknown> =>
        new Promise((resolve) => {
          const socket = tlsConnect({ port: secure.port, rejectUnauthorized: false }, () => {
            resolve(socket.getPeerCertificate().subject.CN)
            socket.end()
          })
        })
      assert.equal(await nameOfCertificate(), 'localhost')
      write(testCertificate('renewed'))
      for (const end = Date.now() + 10_000; (await nameOfCertificate()) !== 'renewed';)
        assert.ok(Date.now() < end, 'the renewed certificate is served')
      writeFileSync(tls.certFile, 'no certificate')
      assert.equal(await nameOfCertificate(), 'renewed', 'an unusable one leaves the old one in place')
    } finally {
      await secure.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
