// What `npm start` starts, and with which environment: pure, so that it can be read and tested without starting it.
import { join, resolve } from 'node:path'
import { readConfig } from '@passerelle/kit/config'
import type { Environment, EnvReader } from '@passerelle/kit/config'

export const PART_NAMES = ['sandbox', 'booking', 'gateway', 'frontend'] as const
export type PartName = (typeof PART_NAMES)[number]

export type Part = {
  readonly name: PartName
  readonly script: string
  /** Answers 2xx once the part can do its work. */
  readonly healthUrl: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export type Plan = {
  readonly host: string
  readonly ports: Readonly<Record<PartName, number>>
  readonly urls: Readonly<Record<PartName, string>>
  /** The caller's database, or undefined for the embedded one. */
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  readonly stripe:
    | { readonly kind: 'sandbox' }
    | { readonly kind: 'real'; readonly apiBase: string; readonly livemode: boolean }
}

/** What `npm start` makes up once and keeps in its data folder. */
export type Secrets = { readonly serviceToken: string; readonly webhookSecret: string }

export const PORT_VARIABLES: Readonly<Record<PartName, string>> = {
  sandbox: 'SANDBOX_PORT',
  booking: 'BOOKING_PORT',
  gateway: 'GATEWAY_PORT',
  frontend: 'FRONTEND_PORT',
}
const WEBHOOK_PATH = '/api/v1/payment-gateway/webhooks/stripe'
// A browser calls these hosts localhost; any other host is called by its own name.
const HERE = new Set(['127.0.0.1', '0.0.0.0', '::1', '::', 'localhost'])

// Read by every part.
const SHARED = ['HOST', 'LOG_LEVEL', 'SHUTDOWN_DRAIN_SECONDS']
// Each is given only to the parts that read it: the frontend never sees a secret.
const AUTH = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWT_SECRET', 'TRUSTED_PROXIES', 'BOOKING_STATUS_EXTENDED']
const LIMITS = ['RATE_LIMIT_PER_MINUTE', 'RATE_LIMIT_FAILURES_PER_MINUTE']
const GATEWAY = [
  'REFUND_LOST_BOOKINGS',
  'REFUND_ALONE_MAX_MINOR',
  ...LIMITS,
  'STRIPE_IP_ALLOWLIST',
  'STRIPE_IP_ALLOWLIST_SOURCE',
  'STRIPE_LIVEMODE',
  'CHECKOUTS_PER_CUSTOMER_PER_HOUR',
]
const BOOKING = [...LIMITS, 'BOOKING_HOLD_MINUTES', 'AUTH_JWKS_URL']
const FRONTEND = [
  'STRIPE_PUBLISHABLE_KEY',
  'STRIPE_JS_URL',
  'GATEWAY_INTERNAL_URL',
  'SUPPORT_EMAIL',
  'TRUSTED_PROXIES',
]
const SET_BY_PLAN = `
  PORT DATABASE_URL FRONTEND_URL BOOKING_SERVICE_URL INTERNAL_SERVICE_TOKEN AUTH_DEMO STRIPE_SECRET_KEY
  STRIPE_WEBHOOK_SECRET STRIPE_API_BASE GATEWAY_URL BOOKING_URL SANDBOX_DATA_DIR SANDBOX_WEBHOOK_URL
  SANDBOX_WEBHOOK_SECRET DATA_DIR LOG_PRETTY NODE_ENV ALLOW_WEAK_SECRETS TLS_CERT_FILE TLS_KEY_FILE`
  .trim()
  .split(/\s+/)
const OURS = new Set([
  ...SHARED,
  ...AUTH,
  ...GATEWAY,
  ...BOOKING,
  ...FRONTEND,
  ...SET_BY_PLAN,
  ...Object.values(PORT_VARIABLES),
])

/** Reads the environment of `npm start`; throws a ConfigError that says what to mend. */
export function planStart(source: Environment, root: string): Plan {
  return readConfig((env) => {
    const host = env.string('HOST', '127.0.0.1')
    const ports = readPorts(env)
    if (env.optional('AUTH_JWT_SECRET') !== undefined && env.optional('AUTH_JWKS_URL') !== undefined)
      env.problem('Both AUTH_JWT_SECRET and AUTH_JWKS_URL are set. Keep one.')
    const secretKey = env.optional('STRIPE_SECRET_KEY')
    if (secretKey !== undefined && env.optional('STRIPE_WEBHOOK_SECRET') === undefined)
      env.problem(
        'STRIPE_SECRET_KEY is set, so the real Stripe would be called, but STRIPE_WEBHOOK_SECRET is not. ' +
          `Run \`stripe listen --forward-to localhost:${ports.gateway}${WEBHOOK_PATH}\` and set it to the whsec_… it prints, ` +
          'or unset STRIPE_SECRET_KEY to use the sandbox.',
      )
    return {
      host,
      ports,
      urls: urlsOf(host, ports),
      databaseUrl: env.optional('DATABASE_URL'),
      dataDir: resolve(root, env.string('DATA_DIR', '.data')),
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

function readPorts(env: EnvReader): Record<PartName, number> {
  const port = (name: PartName, fallback: number): number =>
    env.integer(PORT_VARIABLES[name], fallback, { min: 1, max: 65_535 })
  const ports = {
    sandbox: port('sandbox', 12_111),
    booking: port('booking', 3002),
    gateway: port('gateway', 3001),
    frontend: port('frontend', 5173),
  }
  for (const [index, name] of PART_NAMES.entries()) {
    const same = PART_NAMES.slice(0, index).find((other) => ports[other] === ports[name])
    if (same !== undefined)
      env.problem(
        `${PORT_VARIABLES[same]} and ${PORT_VARIABLES[name]} are both ${ports[name]}. Give each part a port of its own.`,
      )
  }
  return ports
}

function urlsOf(host: string, ports: Record<PartName, number>): Record<PartName, string> {
  const name = HERE.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const url = (part: PartName): string => `http://${name}:${ports[part]}`
  return {
    sandbox: url('sandbox'),
    booking: url('booking'),
    gateway: url('gateway'),
    frontend: url('frontend'),
  }
}

type PartsInput = {
  readonly plan: Plan
  readonly source: Environment
  readonly secrets: Secrets
  readonly databaseUrl: string
}

/** The parts in the order in which they start; they stop in the opposite one. */
export function planParts(input: PartsInput): readonly Part[] {
  const { plan } = input
  const parts: readonly Omit<Part, 'healthUrl'>[] = [
    { name: 'sandbox', script: 'services/stripe-sandbox/src/main.ts', env: sandboxEnvironment(input) },
    { name: 'booking', script: 'services/booking-management/src/main.ts', env: bookingEnvironment(input) },
    { name: 'gateway', script: 'services/payment-gateway/src/main.ts', env: gatewayEnvironment(input) },
    {
      name: 'frontend',
      script: 'frontend/server/main.ts',
      env: frontendEnvironment(input),
    },
  ]
  const shared = {
    ...notOurs(input.source),
    // Nobody balances load between the parts of one machine: there is no one to wait for when they stop.
    SHUTDOWN_DRAIN_SECONDS: '0',
    ...pick(input.source, SHARED),
    LOG_PRETTY: 'off',
    // With a live key money is at stake here too: then the parts refuse what is weak.
    ...(plan.stripe.kind === 'real' && plan.stripe.livemode ? {} : { ALLOW_WEAK_SECRETS: 'on' }),
  }
  return parts
    .filter(({ name }) => name !== 'sandbox' || plan.stripe.kind === 'sandbox')
    .map((part) => ({
      ...part,
      healthUrl: plan.urls[part.name] + HEALTH_PATHS[part.name],
      env: { ...shared, ...part.env, PORT: String(plan.ports[part.name]) },
    }))
}

const HEALTH_PATHS: Readonly<Record<PartName, string>> = {
  sandbox: '/_sandbox/health',
  booking: '/readyz',
  gateway: '/readyz',
  frontend: '/healthz',
}

function sandboxEnvironment({ plan, source, secrets }: PartsInput): Environment {
  return {
    SANDBOX_DATA_DIR: source['SANDBOX_DATA_DIR'] || join(plan.dataDir, 'sandbox'),
    SANDBOX_WEBHOOK_URL: source['SANDBOX_WEBHOOK_URL'] || plan.urls.gateway + WEBHOOK_PATH,
    SANDBOX_WEBHOOK_SECRET: source['STRIPE_WEBHOOK_SECRET'] || secrets.webhookSecret,
  }
}

function bookingEnvironment(input: PartsInput): Environment {
  const { source } = input
  return {
    ...pick(source, [...AUTH, ...BOOKING]),
    ...betweenServices(input),
    // The demo's sign-in issues tokens of its own keys: beside the keys of another sign-in it would be a second door.
    AUTH_DEMO: source['AUTH_DEMO'] || (source['AUTH_JWKS_URL'] ? 'off' : 'on'),
  }
}

function gatewayEnvironment(input: PartsInput): Environment {
  const { plan, source, secrets } = input
  const jwks = source['AUTH_JWKS_URL'] || `${plan.urls.booking}/.well-known/jwks.json`
  return {
    ...pick(source, [...AUTH, ...GATEWAY]),
    ...betweenServices(input),
    ...(source['AUTH_JWT_SECRET'] ? {} : { AUTH_JWKS_URL: jwks }),
    BOOKING_SERVICE_URL: source['BOOKING_SERVICE_URL'] || plan.urls.booking,
    STRIPE_SECRET_KEY: source['STRIPE_SECRET_KEY'] || 'sk_test_passerelle_sandbox',
    STRIPE_WEBHOOK_SECRET: source['STRIPE_WEBHOOK_SECRET'] || secrets.webhookSecret,
    STRIPE_API_BASE:
      source['STRIPE_API_BASE'] || (plan.stripe.kind === 'real' ? plan.stripe.apiBase : plan.urls.sandbox),
  }
}

function frontendEnvironment({ plan, source }: PartsInput): Environment {
  const sandbox = {
    STRIPE_PUBLISHABLE_KEY: 'pk_test_passerelle_sandbox',
    STRIPE_JS_URL: `${plan.urls.sandbox}/v3/`,
  }
  return {
    GATEWAY_URL: plan.urls.gateway,
    BOOKING_URL: plan.urls.booking,
    FRONTEND_URL: source['FRONTEND_URL'] || plan.urls.frontend,
    ...pick(source, FRONTEND),
    // The sandbox takes any publishable test key, but its script must be its own.
    ...(plan.stripe.kind === 'sandbox' ? sandbox : {}),
  }
}

function betweenServices({ plan, source, secrets, databaseUrl }: PartsInput): Environment {
  return {
    DATABASE_URL: databaseUrl,
    INTERNAL_SERVICE_TOKEN: source['INTERNAL_SERVICE_TOKEN'] || secrets.serviceToken,
    FRONTEND_URL: source['FRONTEND_URL'] || plan.urls.frontend,
  }
}

function pick(source: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (source[name] ? [[name, source[name]]] : [])))
}

/** What any process may need (PATH, certificates, proxies), without our variables and npm's. */
function notOurs(source: Environment): Environment {
  return Object.fromEntries(
    Object.entries(source).filter(([name]) => !OURS.has(name) && !/^(?:npm|passerelle)_/i.test(name)),
  )
}
