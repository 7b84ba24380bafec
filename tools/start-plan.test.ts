import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '@passerelle/kit/config'
import type { Environment } from '@passerelle/kit/config'
import { planParts, planStart } from './start-plan.ts'

const SECRETS = { serviceToken: 'kept-service-token', webhookSecret: 'whsec_kept' }

function environments(source: Environment): Record<string, Environment> {
  const plan = planStart(source, '/project')
  const parts = planParts({
    plan,
    source,
    secrets: SECRETS,
    databaseUrl: plan.databaseUrl ?? 'postgres://embedded',
  })
  return Object.fromEntries(parts.map(({ name, env }) => [name, env]))
}

function problemsOf(source: Environment): readonly string[] {
  try {
    planStart(source, '/project')
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('the plan of npm start', () => {
  it('without any variable: the contract’s ports, the sandbox, and services that know each other', () => {
    const { sandbox, booking, gateway, frontend } = environments({})
    assert.deepEqual(
      [sandbox?.['PORT'], booking?.['PORT'], gateway?.['PORT'], frontend?.['PORT']],
      ['12111', '3002', '3001', '5173'],
    )
    assert.equal(gateway?.['STRIPE_API_BASE'], 'http://localhost:12111')
    assert.match(gateway?.['STRIPE_SECRET_KEY'] ?? '', /^sk_test_/)
    assert.equal(gateway?.['STRIPE_WEBHOOK_SECRET'], sandbox?.['SANDBOX_WEBHOOK_SECRET'])
    assert.equal(
      sandbox?.['SANDBOX_WEBHOOK_URL'],
      'http://localhost:3001/api/v1/payment-gateway/webhooks/stripe',
    )
    assert.equal(gateway?.['INTERNAL_SERVICE_TOKEN'], booking?.['INTERNAL_SERVICE_TOKEN'])
    assert.equal(gateway?.['AUTH_JWKS_URL'], 'http://localhost:3002/.well-known/jwks.json')
    assert.equal(booking?.['AUTH_DEMO'], 'on')
    assert.equal(frontend?.['GATEWAY_URL'], 'http://localhost:3001')
    assert.match(frontend?.['STRIPE_PUBLISHABLE_KEY'] ?? '', /^pk_test_/)
    assert.equal(frontend?.['STRIPE_JS_URL'], 'http://localhost:12111/v3/')
  })

  it('offers paying by card on the site with Stripe’s own script where a publishable key is set', () => {
    const real = { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: 'whsec_x' }
    const none = environments(real).frontend
    assert.equal(none?.['STRIPE_PUBLISHABLE_KEY'], undefined)
    const { frontend } = environments({ ...real, STRIPE_PUBLISHABLE_KEY: 'pk_test_mine' })
    assert.deepEqual(
      [frontend?.['STRIPE_PUBLISHABLE_KEY'], frontend?.['STRIPE_JS_URL']],
      ['pk_test_mine', undefined],
    )
  })

  it('passes every variable of the contract that is set through to the parts that read it', () => {
    const both = {
      DATABASE_URL: 'postgres://theirs',
      INTERNAL_SERVICE_TOKEN: 'theirs-and-long-enough',
      AUTH_JWT_SECRET: 'jwt',
      AUTH_ISSUER: 'issuer',
      AUTH_AUDIENCE: 'audience',
      TRUSTED_PROXIES: '10.0.0.0/8',
      FRONTEND_URL: 'https://shop.example',
      LOG_LEVEL: 'debug',
      HOST: '0.0.0.0',
    }
    const gatewayOnly = {
      STRIPE_SECRET_KEY: 'sk_test_theirs',
      STRIPE_WEBHOOK_SECRET: 'whsec_a,whsec_b',
      STRIPE_API_BASE: 'http://stripe.example',
      BOOKING_SERVICE_URL: 'http://booking.example',
      STRIPE_IP_ALLOWLIST: 'on',
      STRIPE_LIVEMODE: 'false',
      BOOKING_STATUS_EXTENDED: 'on',
    }
    const { booking, gateway } = environments({ ...both, ...gatewayOnly, BOOKING_HOLD_MINUTES: '60' })
    assert.deepEqual({ ...gateway, ...both, ...gatewayOnly }, gateway)
    assert.deepEqual({ ...booking, ...both, BOOKING_HOLD_MINUTES: '60' }, booking)
  })

  it('shows a secret to nobody who does not need it', () => {
    const secrets = {
      STRIPE_SECRET_KEY: 'sk_live_secret',
      STRIPE_WEBHOOK_SECRET: 'whsec_secret',
      INTERNAL_SERVICE_TOKEN: 'secret-service-token',
      AUTH_JWT_SECRET: 'secret-jwt',
      DATABASE_URL: 'postgres://user:secret@host/db',
    }
    const { booking, frontend } = environments({
      ...secrets,
      PATH: '/bin',
      HTTPS_PROXY: 'http://proxy',
      npm_config_x: '1',
    })
    assert.doesNotMatch(JSON.stringify(frontend), /secret/)
    assert.doesNotMatch(JSON.stringify(booking), /sk_live|whsec/)
    assert.deepEqual(
      [frontend?.['PATH'], frontend?.['HTTPS_PROXY'], frontend?.['npm_config_x']],
      ['/bin', 'http://proxy', undefined],
    )
  })

  it('starts no sandbox beside a key of Stripe, and lets the sandbox sign with a webhook secret that is set', () => {
    assert.deepEqual(
      Object.keys(environments({ STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: 'whsec_x' })),
      ['booking', 'gateway', 'frontend'],
    )
    const { sandbox, gateway } = environments({ STRIPE_WEBHOOK_SECRET: 'whsec_x' })
    assert.deepEqual(
      [sandbox?.['SANDBOX_WEBHOOK_SECRET'], gateway?.['STRIPE_WEBHOOK_SECRET']],
      ['whsec_x', 'whsec_x'],
    )
  })

  it('opens no demo sign-in beside the keys of another one', () => {
    const { booking, gateway } = environments({ AUTH_JWKS_URL: 'https://id.example/jwks' })
    assert.deepEqual(
      [booking?.['AUTH_DEMO'], booking?.['AUTH_JWKS_URL'], gateway?.['AUTH_JWKS_URL']],
      ['off', 'https://id.example/jwks', 'https://id.example/jwks'],
    )
  })

  it('names every contradiction at once, with its variables', () => {
    const problems = problemsOf({
      GATEWAY_PORT: '4000',
      BOOKING_PORT: '4000',
      FRONTEND_PORT: 'http',
      AUTH_JWT_SECRET: 'a',
      AUTH_JWKS_URL: 'b',
      STRIPE_SECRET_KEY: 'sk_test_x',
    })
    for (const name of ['GATEWAY_PORT', 'FRONTEND_PORT', 'AUTH_JWKS_URL', 'STRIPE_WEBHOOK_SECRET'])
      assert.ok(
        problems.some((problem) => problem.includes(name)),
        name,
      )
    assert.equal(problems.length, 4)
  })

  it('calls a host that a browser cannot call by a name that it can', () => {
    const urlOf = (HOST: string): string => planStart({ HOST }, '/project').urls.gateway
    assert.deepEqual(['127.0.0.1', '0.0.0.0', '::', '192.0.2.7', '2001:db8::1'].map(urlOf), [
      ...Array.from({ length: 3 }, () => 'http://localhost:3001'),
      'http://192.0.2.7:3001',
      'http://[2001:db8::1]:3001',
    ])
  })
})
