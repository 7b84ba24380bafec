import { LOG_LEVELS, readConfig } from '@passerelle/kit/config'
import type { Environment, LogLevel } from '@passerelle/kit/config'

export type FrontendConfig = {
  readonly port: number
  readonly host: string
  /** Where the payer's browser reaches the gateway and the booking service. */
  readonly gatewayUrl: string
  readonly bookingUrl: string
  readonly logLevel: LogLevel
}

/** The configuration of the frontend's server, or a ConfigError that names every variable that is wrong. */
export function frontendConfig(source?: Environment): FrontendConfig {
  return readConfig(
    (env) => ({
      port: env.port('PORT', 5173),
      host: env.string('HOST', '127.0.0.1'),
      gatewayUrl: env.url('GATEWAY_URL', 'http://localhost:3001'),
      bookingUrl: env.url('BOOKING_URL', 'http://localhost:3002'),
      logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    }),
    source,
  )
}
