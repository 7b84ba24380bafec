import { LOG_LEVELS, readConfig } from '@passerelle/kit/config'
import type { EnvReader, Environment, LogLevel, SecretStrength } from '@passerelle/kit/config'
import type { AuthConfig } from '@passerelle/kit/caller'
import { tlsFiles } from '@passerelle/kit/tls'
import type { TlsFiles } from '@passerelle/kit/tls'
import { tracingConfig } from '@passerelle/kit/tracing'
import type { TracingConfig } from '@passerelle/kit/tracing'
import type { ExtensionConfig } from './forwards/extension.client.ts'
import type { HealingConfig } from './reconciliation/run-schedule.ts'

export type GatewayConfig = {
  readonly port: number
  readonly host: string
  readonly databaseUrl: string
  readonly stripe: StripeConfig
  readonly frontendUrl: string
  readonly bookingServiceUrl: string
  /** Announces `payment_failed` and `disputed` too; a booking service written from the lesson knows neither. */
  readonly bookingStatusExtended: boolean
  readonly auth: AuthConfig
  /** The bearer this gateway sends to the booking service: the first of INTERNAL_SERVICE_TOKEN. */
  readonly serviceToken: string
  readonly trustedProxies: readonly string[]
  readonly stripeIpAllowlist: 'off' | 'on' | readonly string[]
  /** A file or URL the list is read from again and again; null: the list stands as it is. */
  readonly stripeIpAllowlistSource: string | null
  readonly limits: LimitsConfig
  readonly tls: TlsFiles
  /** How long a stopping process still answers while `/readyz` says no, so that nobody sends it anything new. */
  readonly drainSeconds: number
  /** Whole days after which the payload of an event is redacted. */
  readonly eventRetentionDays: number
  readonly healing: HealingConfig
  /** Who else wants the events that are no payment's; null: nobody, they are only kept. */
  readonly extension: ExtensionConfig | null
  /** Gives the money back by itself when a paid booking has no seats any more. */
  readonly refundsLostBookings: boolean
  /** Above it a refund needs a second person, in minor units of the payment's currency; null: never. */
  readonly refundAloneMaxMinor: number | null
  /** Null: no collector is named, and no trace is made. */
  readonly tracing: TracingConfig
  readonly logLevel: LogLevel
}

/** 0 switches a limit off. */
export type LimitsConfig = {
  /** By customer, or by address for who brings only a status token; per process. */
  readonly requestsPerMinute: number
  /** By address: requests whose token or signature is refused; per process. */
  readonly failuresPerMinute: number
  /** New attempts to pay by one customer, counted in the database: over all processes. */
  readonly checkoutsPerHour: number
}

export type StripeConfig = {
  readonly secretKey: string
  readonly webhookSecrets: readonly string[]
  readonly apiBase: string
  readonly livemode: boolean
}

export function gatewayConfig(source?: Environment): GatewayConfig {
  return readConfig((env) => {
    const stripe = stripeConfig(env)
    const isForReal = stripe.livemode || env.optional('NODE_ENV') === 'production'
    const strength = env.secretStrength(isForReal)
    const serviceTokens = env.secrets('INTERNAL_SERVICE_TOKEN', strength)
    // Stripe makes this one: its length is Stripe's affair, only a placeholder is refused.
    env.secrets('STRIPE_WEBHOOK_SECRET', { ...strength, charactersMin: 1 })
    if (serviceTokens.length === 0)
      env.required('INTERNAL_SERVICE_TOKEN', 'the long random secret shared with the booking service')
    return {
      port: env.port('PORT', 3001),
      host: env.string('HOST', '127.0.0.1'),
      databaseUrl: env.required('DATABASE_URL', 'postgres://user:password@host:5432/database'),
      stripe,
      frontendUrl: env.url('FRONTEND_URL', 'http://localhost:5173'),
      bookingServiceUrl: env.url('BOOKING_SERVICE_URL', 'http://localhost:3002'),
      bookingStatusExtended: env.flag('BOOKING_STATUS_EXTENDED', false),
      auth: authConfig(env, serviceTokens, strength),
      serviceToken: serviceTokens[0] ?? '',
      trustedProxies: env.addresses('TRUSTED_PROXIES'),
      stripeIpAllowlist: allowlist(env),
      stripeIpAllowlistSource: allowlistSource(env),
      limits: limitsConfig(env, isForReal),
      tls: tlsFiles(env),
      drainSeconds: env.integer('SHUTDOWN_DRAIN_SECONDS', 3, { min: 0, max: 60 }),
      eventRetentionDays: env.integer('EVENT_RETENTION_DAYS', 90, { min: 1, max: 3650 }),
      healing: healingConfig(env),
      extension: extensionConfig(env),
      refundsLostBookings: env.flag('REFUND_LOST_BOOKINGS', true),
      refundAloneMaxMinor:
        env.optional('REFUND_ALONE_MAX_MINOR') === undefined
          ? null
          : env.integer('REFUND_ALONE_MAX_MINOR', 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      tracing: tracingConfig(env),
      logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    }
  }, source)
}

function stripeConfig(env: EnvReader): StripeConfig {
  const secretKey = env.required('STRIPE_SECRET_KEY', "the account's secret key (sk_test_… or sk_live_…)")
  const prefix = /^(?:sk|rk)_(test|live)_./.exec(secretKey)
  if (secretKey !== '' && !prefix)
    env.problem('STRIPE_SECRET_KEY must begin with sk_test_, sk_live_, rk_test_ or rk_live_.')
  const webhookSecrets = env.list('STRIPE_WEBHOOK_SECRET')
  if (webhookSecrets.length === 0)
    env.required(
      'STRIPE_WEBHOOK_SECRET',
      "the endpoint's signing secret (whsec_…), from the Stripe Dashboard or `stripe listen`; several may be separated by commas",
    )
  const mode = env.oneOf('STRIPE_LIVEMODE', ['true', 'false', 'auto'], 'auto')
  const livemode = mode === 'auto' ? prefix?.[1] === 'live' : mode === 'true'
  const apiBase = env.url('STRIPE_API_BASE', 'https://api.stripe.com')
  if (livemode && !apiBase.startsWith('https://') && !isLoopback(apiBase))
    env.problem('STRIPE_API_BASE must begin with https:// in live mode: the secret key travels over it.')
  return { secretKey, webhookSecrets, apiBase, livemode }
}

/** Whether what is sent there stays on this machine: an egress proxy, or a trap in a test. */
function isLoopback(url: string): boolean {
  return /^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|\/|$)/.test(url)
}

const EXTENSION_KEY_BYTES_MIN = 24

function extensionConfig(env: EnvReader): ExtensionConfig | null {
  const url = env.optionalAddress('EXTENSION_URL')
  if (url === undefined) return null
  const text = env.required('EXTENSION_SECRET', 'whsec_ and 24 random bytes or more in base64')
  const secret = Buffer.from(text.replace(/^whsec_/, ''), 'base64')
  if (text !== '' && secret.length < EXTENSION_KEY_BYTES_MIN)
    env.problem('EXTENSION_SECRET must be whsec_ and 24 random bytes or more in base64.')
  return { url, secret }
}

function healingConfig(env: EnvReader): HealingConfig {
  const seconds = (name: string, fallback: number): number =>
    env.integer(name, fallback, { min: 0, max: 24 * 60 * 60 })
  return {
    sweepIntervalSeconds: seconds('SWEEP_INTERVAL_SECONDS', 60),
    sweepLagSeconds: seconds('SWEEP_LAG_SECONDS', 10),
    reconcileIntervalSeconds: seconds('RECONCILE_INTERVAL_SECONDS', 30),
    reconcileAfterSeconds: seconds('RECONCILE_AFTER_SECONDS', 60),
  }
}

/**
 * What one person or address may ask. In test mode there is no money and no card to try out, and whoever tests sends
 * thousands of requests from one address: there only failures are limited, and generously.
 */
function limitsConfig(env: EnvReader, isForReal: boolean): LimitsConfig {
  const limit = (name: string, real: number, test: number): number =>
    env.integer(name, isForReal ? real : test, { min: 0, max: 1_000_000 })
  return {
    requestsPerMinute: limit('RATE_LIMIT_PER_MINUTE', 600, 0),
    failuresPerMinute: limit('RATE_LIMIT_FAILURES_PER_MINUTE', 120, 6000),
    checkoutsPerHour: limit('CHECKOUTS_PER_CUSTOMER_PER_HOUR', 60, 0),
  }
}

function authConfig(env: EnvReader, serviceTokens: readonly string[], strength: SecretStrength): AuthConfig {
  const jwtSecrets = env.jwtSecrets('AUTH_JWT_SECRET', strength)
  const jwksUrl = env.optionalAddress('AUTH_JWKS_URL')
  if (jwtSecrets.length === 0 && jwksUrl === undefined)
    env.problem(
      'Neither AUTH_JWT_SECRET nor AUTH_JWKS_URL is set. Set one, so that customers can be told apart.',
    )
  if (jwtSecrets.length > 0 && jwksUrl !== undefined)
    env.problem('Both AUTH_JWT_SECRET and AUTH_JWKS_URL are set. Keep one.')
  return {
    jwtSecrets,
    jwksUrl,
    issuer: env.optional('AUTH_ISSUER'),
    audience: env.optional('AUTH_AUDIENCE'),
    serviceTokens,
  }
}

function allowlist(env: EnvReader): GatewayConfig['stripeIpAllowlist'] {
  const value = env.string('STRIPE_IP_ALLOWLIST', 'off')
  return value === 'on' || value === 'off' ? value : env.addresses('STRIPE_IP_ALLOWLIST')
}

function allowlistSource(env: EnvReader): string | null {
  const source = env.optional('STRIPE_IP_ALLOWLIST_SOURCE')
  if (source === undefined) return null
  if (env.string('STRIPE_IP_ALLOWLIST', 'off') === 'off')
    env.problem('STRIPE_IP_ALLOWLIST_SOURCE is set but STRIPE_IP_ALLOWLIST is off. Set it to on.')
  if (/^[a-z]+:/i.test(source) && !source.startsWith('https://'))
    env.problem('STRIPE_IP_ALLOWLIST_SOURCE must be the path of a file or a URL that begins with https://.')
  return source
}
