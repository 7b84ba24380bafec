import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair, importJWK } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { createAuthenticate } from './caller.ts'
import type { AuthConfig } from './caller.ts'
import { createHttpServer } from './http.ts'
import { createLog } from './log.ts'
import { createRateLimiter } from './rate-limit.ts'

const SECRET = 'a secret of these tests, long enough for HS256'
const NOBODY: AuthConfig = {
  jwtSecrets: [],
  jwksUrl: undefined,
  issuer: undefined,
  audience: undefined,
  serviceTokens: ['the service token'],
}
const WAIT_MS_MAX = 5000
const limits = { customers: createRateLimiter(0), failures: createRateLimiter(0) }

/** Asks a server that lets in whoever `config` knows; resolves to the status and who it was. */
async function ask(config: Partial<AuthConfig>, token: string): Promise<{ status: number; who: unknown }> {
  const authenticate = createAuthenticate({ ...NOBODY, ...config }, { limits })
  return await answer(authenticate, token)
}

async function answer(
  authenticate: ReturnType<typeof createAuthenticate>,
  token: string,
): Promise<{ status: number; who: unknown }> {
  const log = createLog({ name: 'test', level: 'silent' })
  const server = createHttpServer({ log, corsOrigin: 'http://localhost', trustedProxies: [] })
  server.get('/me', async (request) => ({ who: await authenticate(request) }))
  const response = await server.inject({
    url: '/me',
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
  })
  await server.close()
  return { status: response.statusCode, who: response.json<{ who?: unknown }>().who }
}

type Claims = { sub?: string; iss?: string; aud?: string; exp?: string; roles?: readonly string[] }

function sign(claims: Claims, alg: string, key: Uint8Array | CryptoKey, kid?: string): Promise<string> {
  const { sub = 'cus_1', exp = '1h', iss, aud, roles } = claims
  const jwt = new SignJWT(roles ? { roles } : {})
    .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
    .setExpirationTime(exp)
  if (sub !== '') jwt.setSubject(sub)
  if (iss !== undefined) jwt.setIssuer(iss)
  if (aud !== undefined) jwt.setAudience(aud)
  return jwt.sign(key)
}

const bytes = new TextEncoder().encode(SECRET)

describe('a JWT with a shared secret', () => {
  const config = {
    jwtSecrets: ['the next secret, that nobody signs with yet', SECRET],
    issuer: 'https://shop.example',
    audience: 'gateway',
  }
  const good = { iss: 'https://shop.example', aud: 'gateway' }

  it('says who the customer is, and whether an operator', async () => {
    const customer = await ask(config, await sign(good, 'HS256', bytes))
    const user = { kind: 'user', customerId: 'cus_1', email: null }
    assert.deepEqual(customer, { status: 200, who: { ...user, isOperator: false } })
    const operator = await ask(config, await sign({ ...good, roles: ['operator'] }, 'HS256', bytes))
    assert.deepEqual(operator.who, { ...user, isOperator: true })
  })

  it('is refused when anything about it is wrong', async () => {
    const tokens: Record<string, string> = {
      'no token': '',
      'not a JWT': 'abc',
      'another issuer': await sign({ ...good, iss: 'https://evil.example' }, 'HS256', bytes),
      'no issuer': await sign({ aud: 'gateway' }, 'HS256', bytes),
      'another audience': await sign({ ...good, aud: 'shop' }, 'HS256', bytes),
      'run out': await sign({ ...good, exp: '-10s' }, 'HS256', bytes),
      'never runs out': await new SignJWT({ ...good, sub: 'cus_1' })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(bytes),
      'no customer': await sign({ ...good, sub: '' }, 'HS256', bytes),
      'a customer that no database can keep': await sign({ ...good, sub: 'cus\u0000_1' }, 'HS256', bytes),
      'another secret': await sign(good, 'HS256', new TextEncoder().encode(`${SECRET}.`)),
      'another algorithm': await sign(good, 'HS512', bytes),
      unsigned: new UnsecuredJWT({ ...good, sub: 'cus_1' }).setExpirationTime('1h').encode(),
    }
    for (const [what, token] of Object.entries(tokens))
      assert.equal((await ask(config, token)).status, 401, what)
  })

  it('is not needed by another service, whose token is no JWT', async () => {
    assert.deepEqual((await ask(config, 'the service token')).who, { kind: 'service' })
    assert.equal((await ask(config, 'the service toke')).status, 401)
  })
})

describe('a JWT of a key server', () => {
  let keys: JWK[] = []
  let reads = 0
  const server = createServer((_request, response) => {
    reads += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
  })
  let jwksUrl = ''
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const publish = async (kid: string, key: CryptoKey, alg: string): Promise<JWK> => {
    return { ...(await exportJWK(key)), kid, alg, use: 'sig' }
  }

  it('is read with every algorithm that is allowed', async () => {
    for (const alg of ['RS256', 'ES256', 'EdDSA']) {
      const pair = await generateKeyPair(alg, { extractable: true })
      keys = [await publish('one', pair.publicKey, alg)]
      assert.equal((await ask({ jwksUrl }, await sign({}, alg, pair.privateKey, 'one'))).status, 200, alg)
    }
  })

  it('cannot choose its algorithm: the public key is no shared secret', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true })
    keys = [await publish('one', pair.publicKey, 'RS256')]
    const publicText = new TextEncoder().encode(await exportSPKI(pair.publicKey))
    assert.equal((await ask({ jwksUrl }, await sign({}, 'HS256', publicText, 'one'))).status, 401)
    const stranger = await generateKeyPair('RS256')
    assert.equal((await ask({ jwksUrl }, await sign({}, 'RS256', stranger.privateKey, 'one'))).status, 401)
  })

  it('is not read with another algorithm of the same family of keys', async () => {
    const rsa = await generateKeyPair('RS256', { extractable: true })
    const { alg: _alg, ...key } = await publish('one', rsa.publicKey, 'RS256')
    keys = [key]
    for (const alg of ['RS512', 'PS256']) {
      const same = await importJWK({ ...(await exportJWK(rsa.privateKey)), alg }, alg)
      assert.equal((await ask({ jwksUrl }, await sign({}, alg, same as CryptoKey, 'one'))).status, 401, alg)
    }
    // The key itself is a good one.
    assert.equal((await ask({ jwksUrl }, await sign({}, 'RS256', rsa.privateKey, 'one'))).status, 200)
    const curve = await generateKeyPair('ES384', { extractable: true })
    const { alg: _other, ...wider } = await publish('one', curve.publicKey, 'ES384')
    keys = [wider]
    assert.equal((await ask({ jwksUrl }, await sign({}, 'ES384', curve.privateKey, 'one'))).status, 401)
  })

  it('goes on while keys rotate, without asking the key server for every token', async () => {
    const before = await generateKeyPair('ES256', { extractable: true })
    const next = await generateKeyPair('ES256', { extractable: true })
    keys = [await publish('before', before.publicKey, 'ES256')]
    const authenticate = createAuthenticate({ ...NOBODY, jwksUrl }, { limits })
    const old = await sign({}, 'ES256', before.privateKey, 'before')
    reads = 0
    for (let index = 0; index < 5; index += 1) assert.equal((await answer(authenticate, old)).status, 200)
    assert.equal(reads, 1)
    keys = [await publish('next', next.publicKey, 'ES256'), ...keys]
    const token = await sign({}, 'ES256', next.privateKey, 'next')
    const end = Date.now() + WAIT_MS_MAX
    while ((await answer(authenticate, token)).status !== 200) {
      assert.ok(Date.now() < end, 'the new key was never looked up')
      await setTimeout(50)
    }
    assert.equal((await answer(authenticate, old)).status, 200)
    assert.equal(reads, 2)
  })

  it('is our trouble, not the caller’s, while the key server is away', async () => {
    const pair = await generateKeyPair('ES256')
    const token = await sign({}, 'ES256', pair.privateKey, 'one')
    assert.equal((await ask({ jwksUrl: 'http://127.0.0.1:9/jwks.json' }, token)).status, 503)
  })

  it('is our trouble too while the key server answers with something that is no keys', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true })
    const token = await sign({}, 'ES256', pair.privateKey, 'one')
    for (const broken of [undefined, 'maintenance', [7]] as unknown[]) {
      keys = broken as JWK[]
      assert.equal((await ask({ jwksUrl }, token)).status, 503, String(broken))
    }
  })
})
