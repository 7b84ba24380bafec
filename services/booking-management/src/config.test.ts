import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '@passerelle/kit/config'
import type { Environment } from '@passerelle/kit/config'
import { bookingConfig } from './config.ts'

const COMPLETE = {
  DATABASE_URL: 'postgres://localhost/bookings',
  INTERNAL_SERVICE_TOKEN: 'service-token-0001, service-token-0002',
  AUTH_JWT_SECRET: 'a-secret-for-tests',
}

function problemsOf(env: Environment): readonly string[] {
  try {
    bookingConfig(env)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

describe('bookingConfig', () => {
  it('has the defaults of the contract', () => {
    const config = bookingConfig(COMPLETE)
    assert.equal(config.port, 3002)
    assert.equal(config.host, '127.0.0.1')
    assert.equal(config.frontendOrigin, 'http://localhost:5173')
    assert.equal(config.holdMinutes, 25 * 60)
    assert.equal(config.demoSignIn, false)
    assert.deepEqual(config.auth.serviceTokens, ['service-token-0001', 'service-token-0002'])
  })

  it('names every variable that is missing, all at once', () => {
    const problems = problemsOf({})
    for (const name of ['DATABASE_URL', 'INTERNAL_SERVICE_TOKEN', 'AUTH_JWT_SECRET'])
      assert.ok(
        problems.some((problem) => problem.includes(name)),
        name,
      )
    assert.equal(problems.length, 3)
  })

  it('wants exactly one way to know customers', () => {
    const { AUTH_JWT_SECRET, ...rest } = COMPLETE
    const AUTH_JWKS_URL = 'http://127.0.0.1/jwks.json'
    assert.deepEqual(problemsOf({ ...rest, AUTH_JWKS_URL }), [])
    assert.deepEqual(problemsOf({ ...rest, AUTH_DEMO: 'on' }), [])
    assert.deepEqual(problemsOf({ ...rest, AUTH_JWT_SECRET, AUTH_DEMO: 'on' }), [])
    assert.match(problemsOf({ ...rest, AUTH_JWT_SECRET, AUTH_JWKS_URL })[0] ?? '', /^Both AUTH_JWT_SECRET/)
    assert.match(problemsOf({ ...rest, AUTH_JWKS_URL, AUTH_DEMO: 'on' })[0] ?? '', /^AUTH_DEMO is on/)
  })

  it('lets nobody sign in who just asks where it is for real', () => {
    const long = { AUTH_JWT_SECRET: 'a1b2c3d4'.repeat(4), INTERNAL_SERVICE_TOKEN: 'd4c3b2a1'.repeat(4) }
    const real = { ...COMPLETE, ...long, NODE_ENV: 'production' }
    assert.deepEqual(problemsOf(real), [])
    const [problem = '', ...others] = problemsOf({ ...real, AUTH_DEMO: 'on' })
    assert.match(problem, /^AUTH_DEMO is on although NODE_ENV is production.+Set AUTH_DEMO=off/)
    assert.deepEqual(others, [])
    assert.deepEqual(problemsOf({ ...COMPLETE, AUTH_DEMO: 'on', NODE_ENV: 'development' }), [])
  })

  it('calls the key server at the address that was written, to the last slash', () => {
    const { AUTH_JWT_SECRET: _secret, ...rest } = COMPLETE
    const AUTH_JWKS_URL = 'https://sign-in.example.com/keys/'
    assert.equal(bookingConfig({ ...rest, AUTH_JWKS_URL }).auth.jwksUrl, AUTH_JWKS_URL)
    for (const wrong of ['keys', 'ftp://sign-in.example.com/keys'])
      assert.match(problemsOf({ ...rest, AUTH_JWKS_URL: wrong })[0] ?? '', /^AUTH_JWKS_URL must be a URL/)
  })

  it('says which value is wrong, and never shows a secret', () => {
    const wrong = {
      ...COMPLETE,
      PORT: 'http',
      FRONTEND_URL: 'localhost',
      TRUSTED_PROXIES: '10.0.0.0/8, proxy.example',
      BOOKING_HOLD_MINUTES: '0',
    }
    const problems = problemsOf(wrong)
    assert.deepEqual(
      problems.map((problem) => problem.split(' ', 1)[0]),
      ['PORT', 'FRONTEND_URL', 'BOOKING_HOLD_MINUTES', 'TRUSTED_PROXIES'],
    )
    assert.ok(!problems.join().includes('short'))
  })
})
