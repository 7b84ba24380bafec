import type { Queryable } from '@passerelle/kit/database'
import type { SpanOptions } from '@passerelle/kit/tracing'

/** How a span that comes later goes on with the trace of an attempt. */
export type Followed = Pick<SpanOptions, 'parent' | 'link'>

// Collectors put a trace together within minutes or hours: a refund of next week is a trace of its own, linked to it.
const FOLLOWED_HOURS = 24
const NEWEST_TRACE = `
  select traceparent, created_at > now() - interval '${FOLLOWED_HOURS} hours' as recent
  from payment_attempts where payment_id = wanted.payment_id and traceparent is not null
  order by number desc limit 1`

type TraceRow = { readonly id: string; readonly traceparent: string; readonly recent: boolean }

/** The traces in which these payments were begun, by payment; only those that have one. */
export async function findTracesOfPayments(
  db: Queryable,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, Followed>> {
  const { rows } = await db.query<TraceRow>({
    name: 'find_traces_of_payments',
    text: `select wanted.payment_id as id, trace.traceparent, trace.recent
           from unnest($1::text[]) as wanted(payment_id) cross join lateral (${NEWEST_TRACE}) trace`,
    values: [paymentIds],
  })
  return followed(rows)
}

/** The traces in which the payments of these events were begun, by event; only those that have one. */
export async function findTracesOfEvents(
  db: Queryable,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, Followed>> {
  const { rows } = await db.query<TraceRow>({
    name: 'find_traces_of_events',
    text: `select wanted.id, trace.traceparent, trace.recent
           from stripe_events wanted cross join lateral (${NEWEST_TRACE}) trace where wanted.id = any($1)`,
    values: [eventIds],
  })
  return followed(rows)
}

function followed(rows: readonly TraceRow[]): ReadonlyMap<string, Followed> {
  return new Map(
    rows.map(({ id, traceparent, recent }) => [id, recent ? { parent: traceparent } : { link: traceparent }]),
  )
}
