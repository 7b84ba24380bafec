import { LOG_LEVELS, readConfig } from '@passerelle/kit/config'
import type { EnvReader, Environment, LogLevel } from '@passerelle/kit/config'
import { tracingConfig } from '@passerelle/kit/tracing'
import type { TracingConfig } from '@passerelle/kit/tracing'

export type FrontendConfig = {
  readonly port: number
  readonly host: string
  /** Where the payer's browser reaches the gateway and the booking service. */
  readonly gatewayUrl: string
  readonly bookingUrl: string
  /** Where this server itself reaches the gateway. */
  readonly internalGatewayUrl: string
  /** Where the payer's browser reaches this server. */
  readonly publicOrigin: string
  readonly isSecure: boolean
  /** Whom payers write to; null where they are offered nobody. */
  readonly supportEmail: string | null
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  /** What paying by card on this site needs; null where it is not offered. */
  readonly stripeJs: StripeJs | null
  /** Null: no collector is named, and no trace is made. */
  readonly tracing: TracingConfig
  readonly logLevel: LogLevel
}

export type StripeJs = {
  readonly publishableKey: string
  /** Stripe's own script, or the sandbox's stand-in. */
  readonly scriptUrl: string
}

// The release train of the API version the gateway speaks (docs.stripe.com/sdks/stripejs-versioning).
const STRIPE_JS_URL = 'https://js.stripe.com/endive/stripe.js'

/** The configuration of the frontend's server, or a ConfigError that names every variable that is wrong. */
export function frontendConfig(source?: Environment): FrontendConfig {
  return readConfig((env) => {
    const gatewayUrl = env.url('GATEWAY_URL', 'http://localhost:3001')
    const publicUrl = env.url('FRONTEND_URL', 'http://localhost:5173')
    return {
      port: env.port('PORT', 5173),
      host: env.string('HOST', '127.0.0.1'),
      gatewayUrl,
      bookingUrl: env.url('BOOKING_URL', 'http://localhost:3002'),
      internalGatewayUrl: env.url('GATEWAY_INTERNAL_URL', gatewayUrl),
      publicOrigin: URL.canParse(publicUrl) ? new URL(publicUrl).origin : publicUrl,
      trustedProxies: env.addresses('TRUSTED_PROXIES'),
      isSecure: publicUrl.startsWith('https:'),
      stripeJs: stripeJs(env),
      supportEmail: supportEmail(env),
      tracing: tracingConfig(env),
      logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    }
  }, source)
}

function supportEmail(env: EnvReader): string | null {
  const email = env.optional('SUPPORT_EMAIL') ?? null
  // It becomes a link: nothing that could add to one.
  if (email !== null && !/^[^\s@?&=%"<>]+@[^\s@?&=%"<>]+$/.test(email))
    env.problem('SUPPORT_EMAIL must be one e-mail address, such as help@example.com.')
  return email
}

function stripeJs(env: EnvReader): StripeJs | null {
  const publishableKey = env.optional('STRIPE_PUBLISHABLE_KEY')
  if (publishableKey === undefined) return null
  if (!/^pk_(?:test|live)_./.test(publishableKey))
    env.problem(
      'STRIPE_PUBLISHABLE_KEY must begin with pk_test_ or pk_live_. The secret key never belongs here.',
    )
  return { publishableKey, scriptUrl: env.url('STRIPE_JS_URL', STRIPE_JS_URL) }
}
