import type { Queryable } from '@passerelle/kit/database'
import type { StoredEntry } from './timeline.ts'

/** The newest `limit` things that happened to a payment, oldest first; read in one statement, so that they agree. */
export async function readTimeline(
  db: Queryable,
  payment: { readonly paymentId: string; readonly bookingId: string },
  limit: number,
): Promise<StoredEntry[]> {
  const { rows } = await db.query<StoredEntry>(
    `select at, kind, id, detail from (${SOURCES}) entries order by at desc, rank desc, id desc limit $3`,
    [payment.paymentId, payment.bookingId, limit],
  )
  return rows.toReversed()
}

// `rank` orders what one transaction wrote at one moment: what came in, what became of it, what goes out.
const SOURCES = `
  select created_at as at, 0 as rank, 'payment' as kind, id, jsonb_build_object(
    'bookingId', booking_id, 'customerId', customer_id, 'livemode', livemode) as detail
  from payments where id = $1
  union all
  select created_at, 1, 'attempt', id, jsonb_build_object(
    'number', number, 'attemptKind', kind, 'state', state, 'amountMinor', amount_minor, 'currency', currency,
    'sessionId', session_id, 'paymentIntentId', payment_intent_id, 'expiresAt', expires_at,
    'closedBecause', closed_because)
  from payment_attempts where payment_id = $1
  union all
  select received_at, 2, 'event', id, jsonb_build_object(
    'type', type, 'status', status, 'reason', reason, 'errorMessage', error_message, 'objectId', object_id,
    'apiVersion', api_version, 'attempts', attempts, 'createdAt', created_at, 'receivedAt', received_at,
    'processedAt', processed_at, 'retryAt', retry_at, 'redactedAt', redacted_at)
  from (
    select * from stripe_events where payment_id = $1
    union
    -- Not applied, so not tied to the payment yet: still owed, or given up.
    select * from stripe_events where payment_id is null and status = 'received'
      and waits_for = any(array(select id from stripe_objects where payment_id = $1))
    union
    select * from stripe_events where payment_id is null and status = 'failed'
      and object_id = any(array(select id from stripe_objects where payment_id = $1))
  ) events
  union all
  select at, 3, 'transition', id::text, jsonb_build_object(
    'from', from_status, 'to', to_status, 'because', because, 'version', version)
  from payment_transitions where payment_id = $1
  union all
  select created_at, 3, 'refund_request', id, jsonb_build_object(
    'amountMinor', amount_minor, 'reason', coalesce(note, reason), 'requestedBy', requested_by, 'approvedBy', approved_by, 'state', state,
    'refundId', refund_id, 'refusedBecause', refused_because, 'attempts', attempts)
  from refund_requests where payment_id = $1
  union all
  select created_at, 4, 'refund', id, jsonb_build_object(
    'status', status, 'amountMinor', amount_minor, 'currency', currency, 'reason', reason,
    'failureReason', failure_reason, 'updatedAt', updated_at)
  from refunds where payment_id = $1
  union all
  select created_at, 4, 'dispute', id, jsonb_build_object(
    'status', status, 'amountMinor', amount_minor, 'currency', currency, 'reason', reason, 'updatedAt', updated_at)
  from disputes where payment_id = $1
  union all
  select min(posted_at), 5, 'ledger', posting, jsonb_build_object(
    'currency', min(currency), 'entries', jsonb_object_agg(account, amount_minor))
  from ledger_entries where payment_id = $1 group by posting
  union all
  select created_at, 6, 'delivery', id, jsonb_build_object(
    'announces', body ->> 'status', 'version', version, 'status', status, 'attempts', attempts,
    'lastError', last_error, 'dueAt', due_at, 'deliveredAt', delivered_at, 'redeliveredAt', redelivered_at)
  from deliveries where booking_id = $2
  union all
  select a.at, 7, 'delivery_attempt', a.id::text, jsonb_build_object(
    'deliveryId', a.delivery_id, 'announces', d.body ->> 'status', 'version', d.version, 'number', a.number,
    'outcome', a.outcome, 'responseStatus', a.response_status, 'error', a.error, 'durationMs', a.duration_ms)
  from deliveries d join delivery_attempts a on a.delivery_id = d.id where d.booking_id = $2
  union all
  select raised_at, 8, 'incident', id::text, jsonb_build_object(
    'incidentKind', kind, 'subject', subject, 'detail', detail, 'resolvedAt', resolved_at,
    'resolvedBy', resolved_by, 'resolvedBecause', resolved_because)
  from incidents where payment_id = $1
  union all
  select at, 9, 'audit', id::text, jsonb_build_object(
    'actor', actor, 'action', action, 'subject', subject, 'reason', reason, 'before', before, 'after', after,
    'requestId', request_id)
  from audit_log where payment_id = $1`
