import { LOG_LEVELS, readConfig } from '@passerelle/kit/config'
import type { EnvReader, Environment, LogLevel } from '@passerelle/kit/config'
import type { AuthConfig } from '@passerelle/kit/caller'
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
  /** Whole days after which the payload of an event is redacted. */
  readonly eventRetentionDays: number
  readonly healing: HealingConfig
  readonly logLevel: LogLevel
}

export type StripeConfig = {
  readonly secretKey: string
  readonly webhookSecrets: readonly string[]
  readonly apiBase: string
  readonly livemode: boolean
}

export function gatewayConfig(source?: Environment): GatewayConfig {
  return readConfig((env) => {
    const serviceTokens = env.list('INTERNAL_SERVICE_TOKEN')
    if (serviceTokens.length === 0)
      env.required('INTERNAL_SERVICE_TOKEN', 'the long random secret shared with the booking service')
    return {
      port: env.port('PORT', 3001),
      host: env.string('HOST', '127.0.0.1'),
      databaseUrl: env.required('DATABASE_URL', 'postgres://user:password@host:5432/database'),
      stripe: stripeConfig(env),
      frontendUrl: env.url('FRONTEND_URL', 'http://localhost:5173'),
      bookingServiceUrl: env.url('BOOKING_SERVICE_URL', 'http://localhost:3002'),
      bookingStatusExtended: env.flag('BOOKING_STATUS_EXTENDED', false),
      auth: authConfig(env, serviceTokens),
      serviceToken: serviceTokens[0] ?? '',
      trustedProxies: env.addresses('TRUSTED_PROXIES'),
      stripeIpAllowlist: allowlist(env),
      eventRetentionDays: env.integer('EVENT_RETENTION_DAYS', 90, { min: 1, max: 3650 }),
      healing: healingConfig(env),
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
  const livemode = env.oneOf('STRIPE_LIVEMODE', ['true', 'false', 'auto'], 'auto')
  return {
    secretKey,
    webhookSecrets,
    apiBase: env.url('STRIPE_API_BASE', 'https://api.stripe.com'),
    livemode: livemode === 'auto' ? prefix?.[1] === 'live' : livemode === 'true',
  }
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

function authConfig(env: EnvReader, serviceTokens: readonly string[]): AuthConfig {
  const jwtSecret = env.optional('AUTH_JWT_SECRET')
  const jwksUrl = env.optional('AUTH_JWKS_URL') === undefined ? undefined : env.url('AUTH_JWKS_URL', '')
  if (jwtSecret === undefined && jwksUrl === undefined)
    env.problem(
      'Neither AUTH_JWT_SECRET nor AUTH_JWKS_URL is set. Set one, so that customers can be told apart.',
    )
  if (jwtSecret !== undefined && jwksUrl !== undefined)
    env.problem('Both AUTH_JWT_SECRET and AUTH_JWKS_URL are set. Keep one.')
  return {
    jwtSecret,
    jwksUrl,
    issuer: env.optional('AUTH_ISSUER'),
    audience: env.optional('AUTH_AUDIENCE'),
    serviceTokens,
  }
}

function allowlist(env: EnvReader): GatewayConfig['stripeIpAllowlist'] {
  const value = env.string('STRIPE_IP_ALLOWLIST', 'off')
  return value === 'on' || value === 'off' ? value : env.list('STRIPE_IP_ALLOWLIST')
}
