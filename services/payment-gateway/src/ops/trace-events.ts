import type { Pool } from '@passerelle/kit/database'
import type { Log } from '@passerelle/kit/log'
import type { Tracing } from '@passerelle/kit/tracing'
import { findTracesOfEvents } from './trace.repository.ts'

/** An event that was taken in: by then the request it came with is answered. */
export type TakenEvent = { readonly id: string; readonly type: string; readonly startedAt: Date }

export type EventTracer = {
  readonly taken: (event: TakenEvent) => void
  readonly stop: () => Promise<void>
}

// Beyond it events are taken in untraced: following them must not cost more than applying them.
const WAITING_MAX = 2000

/**
 * Adds each event that was taken in to the trace of the checkout it belongs to. Stripe sends no `traceparent`, so that
 * one is looked up after the answer, for many events at a time.
 */
export function startTracingEvents(deps: {
  readonly pool: Pool
  readonly tracing: Tracing
  readonly log: Log
}): EventTracer {
  let waiting: Waiting[] = []
  let looking: Promise<void> | null = null

  async function look(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await trace(deps, batch)
      } catch (error) {
        deps.log.debug({ err: error, events: batch.length }, 'traces.not_followed')
      }
    }
    looking = null
  }

  return {
    taken: (event) => {
      if (waiting.length >= WAITING_MAX) return
      waiting.push({ ...event, endedAt: new Date() })
      looking ??= look()
    },
    stop: async () => {
      await looking
    },
  }
}

type Waiting = TakenEvent & { readonly endedAt: Date }

async function trace(
  { pool, tracing }: { readonly pool: Pool; readonly tracing: Tracing },
  batch: readonly Waiting[],
): Promise<void> {
  const ids = batch.map(({ id }) => id)
  const traces = await findTracesOfEvents(pool, ids)
  for (const { id, type, startedAt, endedAt } of batch) {
    const followed = traces.get(id)
    if (followed === undefined) continue
    const attributes = { 'passerelle.event_id': id, 'passerelle.event_type': type }
    const span = tracing.open('stripe webhook', { ...followed, kind: 'server', startedAt, attributes })
    span.end({ isFailed: false, endedAt })
  }
}
