// What a process tells a collector of traces, and nothing at all unless one is named: the SDK is not even loaded then.
import type { EnvReader } from './config.ts'
import type { Log } from './log.ts'

/**
 * Ids, kinds and outcomes: what the log says too. Never an amount of text somebody typed, an address, a secret: a
 * collector is another system, with other readers.
 */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

export type SpanOptions = {
  readonly kind?: 'internal' | 'server' | 'client'
  /** A W3C `traceparent` to go on from; without one, and without a span under way, a trace begins here. */
  readonly parent?: string | null
  /** Another trace this has to do with, as a `traceparent`. */
  readonly link?: string | null
  readonly attributes?: SpanAttributes
}

/** A piece of work under way. */
export type OpenSpan = {
  readonly traceId: string
  /** Runs `work` so that what it begins belongs to this span. */
  readonly within: <T>(work: () => T) => T
  readonly end: (outcome: {
    readonly isFailed: boolean
    readonly attributes?: SpanAttributes
    readonly endedAt?: Date
  }) => void
}

export type Tracing = {
  readonly isOn: boolean
  /** Begins a span that whoever called ends. */
  readonly open: (name: string, options: SpanOptions & { readonly startedAt?: Date }) => OpenSpan
  /** The span under way as a W3C `traceparent`, to keep or to send on; null outside of any. */
  readonly traceparent: () => string | null
  /** Sends what is left, for a moment at most. */
  readonly stop: () => Promise<void>
}

const NO_SPAN: OpenSpan = { traceId: '', within: (work) => work(), end: () => {} }

export const TRACING_OFF: Tracing = {
  isOn: false,
  open: () => NO_SPAN,
  traceparent: () => null,
  stop: async () => {},
}

/** Runs work as a span; what it throws ends the span as failed and is thrown on. */
export async function inSpan<T>(
  tracing: Tracing,
  name: string,
  options: SpanOptions,
  work: () => Promise<T>,
): Promise<T> {
  const span = tracing.open(name, options)
  try {
    const result = await span.within(work)
    span.end({ isFailed: false })
    return result
  } catch (error) {
    span.end({ isFailed: true })
    throw error
  }
}

/** The header that lets whoever is called go on with the trace; none outside of a trace. */
export function traceHeaders(tracing: Tracing): { readonly traceparent?: string } {
  const traceparent = tracing.traceparent()
  return traceparent === null ? {} : { traceparent }
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

export type TracingConfig = {
  readonly sampler: (typeof SAMPLERS)[number]
  /** The share of traces that are kept, for the samplers by ratio. */
  readonly ratio: number
} | null

/**
 * OpenTelemetry's own variables. Whether traces are sent, and which, is decided here; where to, with which headers and as
 * which service is read from the same environment by the SDK.
 */
export function tracingConfig(env: EnvReader): TracingConfig {
  const names = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']
  const named = names.filter((name) => env.optional(name) !== undefined)
  if (named.length === 0 || env.optional('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null
  if (env.optional('OTEL_TRACES_EXPORTER') === 'none') return null
  for (const name of named) env.url(name, '')
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'])
    env.oneOf(name, ['http/protobuf'], 'http/protobuf')
  const sampler = env.oneOf('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on')
  const ratio = Number(env.string('OTEL_TRACES_SAMPLER_ARG', '1'))
  if (!(ratio >= 0 && ratio <= 1)) env.problem('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1.')
  return { sampler, ratio }
}

/** The tracing of one service, `serviceName` unless OTEL_SERVICE_NAME says otherwise. */
export async function startTracing(config: TracingConfig, serviceName: string, log: Log): Promise<Tracing> {
  if (config === null) return TRACING_OFF
  const { startOtlpTracing } = await import('./otlp-tracing.ts')
  return startOtlpTracing(config, serviceName, log)
}
