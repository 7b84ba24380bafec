import type { AuthConfig } from '@passerelle/kit/caller'
import { LOG_LEVELS, readConfig } from '@passerelle/kit/config'
import type { EnvReader, Environment, LogLevel, SecretStrength } from '@passerelle/kit/config'
import { tlsFiles } from '@passerelle/kit/tls'
import type { TlsFiles } from '@passerelle/kit/tls'
import { tracingConfig } from '@passerelle/kit/tracing'
import type { TracingConfig } from '@passerelle/kit/tracing'

export type BookingConfig = {
  readonly port: number
  readonly host: string
  readonly databaseUrl: string
  /** Without a path: what a browser sends as `Origin`. */
  readonly frontendOrigin: string
  readonly auth: AuthConfig
  /** Signs anyone in who asks: only for a demonstration, refused where it is for real. */
  readonly demoSignIn: boolean
  readonly holdMinutes: number
  readonly trustedProxies: readonly string[]
  /** By customer, and by address for refused tokens; per process, 0 switches it off. */
  readonly requestsPerMinute: number
  readonly failuresPerMinute: number
  readonly tls: TlsFiles
  /** How long a stopping process still answers while `/readyz` says no, so that nobody sends it anything new. */
  readonly drainSeconds: number
  /** Null: no collector is named, and no trace is made. */
  readonly tracing: TracingConfig
  readonly logLevel: LogLevel
}

// A Checkout Session lives at most 24 hours, so one opened within the hour after booking never outlives the seats.
// Shorter: a late payer may find the tour full and be overbooked. Longer: abandoned bookings block seats.
const HOLD_MINUTES = 25 * 60
const HOLD_MINUTES_MAX = 60 * 24 * 60

/** The configuration of the booking service, or a ConfigError that names every variable that is missing or wrong. */
export function bookingConfig(source?: Environment): BookingConfig {
  return readConfig((env) => {
    const demoSignIn = env.flag('AUTH_DEMO', false)
    const isForReal = env.optional('NODE_ENV') === 'production'
    if (demoSignIn && isForReal)
      env.problem(
        'AUTH_DEMO is on although NODE_ENV is production: it signs in whoever asks. Set AUTH_DEMO=off and name your sign-in ' +
          'by AUTH_JWT_SECRET or AUTH_JWKS_URL, or, for a demonstration, set NODE_ENV=development.',
      )
    const limit = (name: string, real: number, test: number): number =>
      env.integer(name, isForReal ? real : test, { min: 0, max: 1_000_000 })
    return {
      port: env.port('PORT', 3002),
      host: env.string('HOST', '127.0.0.1'),
      databaseUrl: env.required('DATABASE_URL', 'postgres://user:password@host:5432/database'),
      frontendOrigin: new URL(env.url('FRONTEND_URL', 'http://localhost:5173')).origin,
      auth: authConfig(env, demoSignIn, env.secretStrength(isForReal)),
      demoSignIn,
      holdMinutes: env.integer('BOOKING_HOLD_MINUTES', HOLD_MINUTES, { min: 1, max: HOLD_MINUTES_MAX }),
      trustedProxies: env.addresses('TRUSTED_PROXIES'),
      requestsPerMinute: limit('RATE_LIMIT_PER_MINUTE', 600, 0),
      failuresPerMinute: limit('RATE_LIMIT_FAILURES_PER_MINUTE', 120, 6000),
      tls: tlsFiles(env),
      drainSeconds: env.integer('SHUTDOWN_DRAIN_SECONDS', 3, { min: 0, max: 60 }),
      tracing: tracingConfig(env),
      logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    }
  }, source)
}

function authConfig(env: EnvReader, demoSignIn: boolean, strength: SecretStrength): AuthConfig {
  const jwtSecrets = env.jwtSecrets('AUTH_JWT_SECRET', strength)
  const jwksUrl = env.optionalAddress('AUTH_JWKS_URL')
  if (jwtSecrets.length === 0 && jwksUrl === undefined && !demoSignIn)
    env.problem(
      'None of AUTH_JWT_SECRET, AUTH_JWKS_URL and AUTH_DEMO is set. Set one, so that customers can be told apart.',
    )
  if (jwtSecrets.length > 0 && jwksUrl !== undefined)
    env.problem('Both AUTH_JWT_SECRET and AUTH_JWKS_URL are set. Keep one.')
  if (demoSignIn && jwksUrl !== undefined)
    env.problem(
      'AUTH_DEMO is on although AUTH_JWKS_URL names the keys of another sign-in. Set AUTH_DEMO=off or unset AUTH_JWKS_URL.',
    )
  return {
    jwtSecrets,
    jwksUrl,
    issuer: env.optional('AUTH_ISSUER'),
    audience: env.optional('AUTH_AUDIENCE'),
    serviceTokens: serviceTokens(env, strength),
  }
}

function serviceTokens(env: EnvReader, strength: SecretStrength): readonly string[] {
  const tokens = env.secrets('INTERNAL_SERVICE_TOKEN', strength)
  if (tokens.length === 0)
    env.required('INTERNAL_SERVICE_TOKEN', 'the long random secret shared with the payment gateway')
  return tokens
}
