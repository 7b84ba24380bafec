// What `npm start` starts, and with which environment: pure, so that it can be read and tested without starting it.
import { ConfigError, readConfig } from '@passerelle/kit/config'
import type { Environment } from '@passerelle/kit/config'

export type PartName = 'sandbox' | 'booking' | 'gateway' | 'frontend'

export type Part = {
  readonly name: PartName
  readonly script: string
  readonly port: number
  /** The path that answers 2xx once the part can do its work. */
  readonly health: string
  readonly env: Readonly<Record<string, string>>
}

export type Plan = {
  readonly host: string
  readonly ports: Readonly<Record<PartName, number>>
  readonly portVariables: Readonly<Record<PartName, string>>
  /** The caller's database, or undefined for the embedded one. */
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  readonly stripe:
    | { readonly kind: 'sandbox' }
    | { readonly kind: 'real'; readonly apiBase: string; readonly livemode: boolean }
}

const PORT_VARIABLES = {
  sandbox: 'SANDBOX_PORT',
  booking: 'BOOKING_PORT',
  gateway: 'GATEWAY_PORT',
  frontend: 'FRONTEND_PORT',
} as const

// Variables of contract.md that a part reads as they are.
const PASSED_THROUGH = [
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'TRUSTED_PROXIES',
  'LOG_LEVEL',
  'HOST',
  'NO_COLOR',
] as const
const GATEWAY_ONLY = ['STRIPE_IP_ALLOWLIST', 'STRIPE_LIVEMODE', 'BOOKING_STATUS_EXTENDED'] as const
const BOOKING_ONLY = ['BOOKING_HOLD_MINUTES'] as const

/** Reads the environment of `npm start`; throws a ConfigError that says what to mend. */
export function planStart(source: Environment, root: string): Plan {
  return readConfig((env) => {
    const secretKey = env.optional('STRIPE_SECRET_KEY')
    if (secretKey !== undefined && env.optional('STRIPE_WEBHOOK_SECRET') === undefined)
      env.problem(
        'STRIPE_SECRET_KEY is set, so the real Stripe is used, but STRIPE_WEBHOOK_SECRET is not. Run `stripe listen --forward-to localhost:3001/api/v1/payment-gateway/webhooks/stripe` and set it to the whsec_… it prints, or unset STRIPE_SECRET_KEY to use the sandbox.',
      )
    return {
      host: env.string('HOST', '127.0.0.1'),
      ports: {
        sandbox: env.port(PORT_VARIABLES.sandbox, 12_111),
        booking: env.port(PORT_VARIABLES.booking, 3002),
        gateway: env.port(PORT_VARIABLES.gateway, 3001),
        frontend: env.port(PORT_VARIABLES.frontend, 5173),
      },
      portVariables: PORT_VARIABLES,
      databaseUrl: env.optional('DATABASE_URL'),
      dataDir: env.string('DATA_DIR', `${root}/.data`),
      stripe:
        secretKey === undefined
          ? { kind: 'sandbox' as const }
          : {
              kind: 'real' as const,
              apiBase: env.url('STRIPE_API_BASE', 'https://api.stripe.com'),
              livemode: /^(?:sk|rk)_live_/.test(secretKey),
            },
    }
  }, source)
}

export type Secrets = { readonly serviceToken: string; readonly webhookSecret: string }

/** The parts in the order in which they start; they stop in the opposite one. */
export function planParts(plan: Plan, source: Environment, secrets: Secrets, databaseUrl: string): Part[] {
  const url = (name: PartName): string => `http://localhost:${plan.ports[name]}`
  const pick = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.flatMap((name) => (source[name] ? [[name, source[name]]] : [])))
  const shared = {
    ...pick(PASSED_THROUGH),
    DATABASE_URL: databaseUrl,
    INTERNAL_SERVICE_TOKEN: source['INTERNAL_SERVICE_TOKEN'] || secrets.serviceToken,
    FRONTEND_URL: source['FRONTEND_URL'] || url('frontend'),
  }
  const webhookSecret = source['STRIPE_WEBHOOK_SECRET'] || secrets.webhookSecret
  const parts: Part[] = [
    {
      name: 'booking',
      script: 'services/booking-management/src/main.ts',
      port: plan.ports.booking,
      health: '/readyz',
      env: { ...shared, ...pick(BOOKING_ONLY), ...bookingAuth(source) },
    },
    {
      name: 'gateway',
      script: 'services/payment-gateway/src/main.ts',
      port: plan.ports.gateway,
      health: '/readyz',
      env: {
        ...shared,
        ...pick(GATEWAY_ONLY),
        ...gatewayAuth(source, url('booking')),
        ...gatewayStripe(plan, source, url('sandbox')),
        STRIPE_WEBHOOK_SECRET: webhookSecret,
        BOOKING_SERVICE_URL: source['BOOKING_SERVICE_URL'] || url('booking'),
      },
    },
    {
      name: 'frontend',
      script: 'frontend/server/main.ts',
      port: plan.ports.frontend,
      health: '/healthz',
      env: { ...pick(PASSED_THROUGH), GATEWAY_URL: url('gateway'), BOOKING_URL: url('booking') },
    },
  ]
  if (plan.stripe.kind === 'sandbox')
    parts.unshift(sandboxPart(plan, pick(PASSED_THROUGH), url, webhookSecret))
  return parts.map((part) => ({ ...part, env: { ...part.env, PORT: String(part.port) } }))
}

function sandboxPart(
  plan: Plan,
  shared: Record<string, string>,
  url: (name: PartName) => string,
  webhookSecret: string,
): Part {
  return {
    name: 'sandbox',
    script: 'services/stripe-sandbox/src/main.ts',
    port: plan.ports.sandbox,
    health: '/_sandbox/health',
    env: {
      ...shared,
      SANDBOX_DATA_DIR: `${plan.dataDir}/sandbox`,
      SANDBOX_WEBHOOK_URL: `${url('gateway')}/api/v1/payment-gateway/webhooks/stripe`,
      SANDBOX_WEBHOOK_SECRET: webhookSecret,
    },
  }
}

function gatewayStripe(plan: Plan, source: Environment, sandboxUrl: string): Record<string, string> {
  if (plan.stripe.kind === 'real')
    return { STRIPE_SECRET_KEY: source['STRIPE_SECRET_KEY'] ?? '', STRIPE_API_BASE: plan.stripe.apiBase }
  return { STRIPE_SECRET_KEY: 'sk_test_passerelle_sandbox', STRIPE_API_BASE: sandboxUrl }
}

/** The booking service signs demo customers in, unless somebody else's keys are named. */
function bookingAuth(source: Environment): Record<string, string> {
  if (source['AUTH_JWKS_URL']) return { AUTH_JWKS_URL: source['AUTH_JWKS_URL'], AUTH_DEMO: 'off' }
  const demo = { AUTH_DEMO: source['AUTH_DEMO'] || 'on' }
  return source['AUTH_JWT_SECRET'] ? { ...demo, AUTH_JWT_SECRET: source['AUTH_JWT_SECRET'] } : demo
}

function gatewayAuth(source: Environment, bookingUrl: string): Record<string, string> {
  if (source['AUTH_JWT_SECRET']) return { AUTH_JWT_SECRET: source['AUTH_JWT_SECRET'] }
  return { AUTH_JWKS_URL: source['AUTH_JWKS_URL'] || `${bookingUrl}/.well-known/jwks.json` }
}

export { ConfigError }
