// The only file that knows OpenTelemetry's SDK, loaded only where a collector is named.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
import {
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api'
import type { Context, Span, SpanContext } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace'
import type { Log } from './log.ts'
import type { OpenSpan, SpanOptions, Tracing, TracingConfig } from './tracing.ts'

// A stopping process waits this long for its last traces: they are worth less than a prompt end.
const STOP_MS_MAX = 1500
const COMPLAINT_INTERVAL_MS = 60_000
const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const

export function startOtlpTracing(config: NonNullable<TracingConfig>, serviceName: string, log: Log): Tracing {
  // Spans wait in a bounded queue; what does not fit, or finds no collector, is dropped: work never waits for it.
  const processor = new BatchSpanProcessor({ exporter: complaining(new OTLPTraceExporter(), log) })
  const provider = new TracerProvider({
    sampler: samplerOf(config),
    resource: resourceFromAttributes({ 'service.name': serviceName }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('passerelle')
  const underWay = new AsyncLocalStorage<Context>()

  return {
    isOn: true,
    open: (name, { startedAt, ...options }) => {
      const parent = parentOf(options, underWay.getStore())
      const link = contextOf(options.link)
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[options.kind ?? 'internal'],
          ...(options.attributes === undefined ? {} : { attributes: { ...options.attributes } }),
          ...(link === null ? {} : { links: [{ context: link }] }),
          ...(startedAt === undefined ? {} : { startTime: startedAt }),
        },
        parent,
      )
      return openSpan(span, (work) => underWay.run(trace.setSpan(parent, span), work))
    },
    traceparent: () => {
      const context = underWay.getStore()
      const span = context === undefined ? undefined : trace.getSpanContext(context)
      return span === undefined ? null : traceparentOf(span)
    },
    stop: async () => {
      const late = new AbortController()
      await Promise.race([
        provider.shutdown().catch(() => {}),
        setTimeout(STOP_MS_MAX, undefined, { signal: late.signal }).catch(() => {}),
      ])
      late.abort()
    },
  }
}

function openSpan(span: Span, within: OpenSpan['within']): OpenSpan {
  return {
    traceId: span.spanContext().traceId,
    within,
    end: ({ isFailed, attributes = {}, endedAt }) => {
      span.setAttributes(attributes)
      // Without a message: what went wrong may quote what somebody sent. The log has it.
      if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end(endedAt)
    },
  }
}

function parentOf({ parent }: SpanOptions, underWay: Context | undefined): Context {
  const remote = contextOf(parent)
  if (remote !== null) return trace.setSpanContext(ROOT_CONTEXT, remote)
  return underWay ?? ROOT_CONTEXT
}

// Versions to come may say more behind these fields (w3.org/TR/trace-context); what is no traceparent counts as none.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.{0,200})?$/

function contextOf(traceparent: string | null | undefined): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? []
  const context = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  }
  return isSpanContextValid(context) ? context : null
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`
}

function samplerOf({ sampler, ratio }: NonNullable<TracingConfig>): Sampler {
  switch (sampler) {
    case 'always_on':
      return new AlwaysOnSampler()
    case 'always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio)
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() })
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() })
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) })
    default:
      return sampler satisfies never
  }
}

/** An exporter that says in the log, once a minute, that nobody takes its spans. */
function complaining(exporter: SpanExporter, log: Log): SpanExporter {
  let complainedAt = -Infinity
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined && performance.now() - complainedAt > COMPLAINT_INTERVAL_MS) {
          complainedAt = performance.now()
          log.warn({ because: result.error.name, spans: spans.length }, 'traces.not_sent')
        }
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined
      ? {}
      : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  }
}
