-- What operators do and what they may look up.

-- The payload of an old event is emptied (retention); what it did stays in payments, ledger and transitions.
alter table stripe_events add column redacted_at timestamptz;
-- One column only: a batch shares its received_at, and the tie by id is sorted when a page is read.
create index stripe_events_newest on stripe_events (received_at);

-- A delivery sent again by hand lives as long as a new one.
alter table deliveries add column redelivered_at timestamptz;
create index deliveries_newest on deliveries (created_at);
create index deliveries_dead on deliveries (created_at) where status = 'dead';
create index payments_newest on payments (created_at);

alter table incidents add column resolved_by text, add column resolved_because text;
create index incidents_open on incidents (id) where resolved_at is null;
create index incidents_by_payment on incidents (payment_id);

-- What a payer's address is kept in beside the payloads, for as long as it takes to be redacted there too.
create index payment_attempts_with_address on payment_attempts (created_at)
  where state = 'closed' and parameters ?| array['customer_email', 'receipt_email'];

-- How far retention has come, so that it never reads again what it has redacted.
create table retention_marks (
  name text primary key,
  done_until timestamptz not null
);

-- Who did what to what, why, and what it was before. Append-only and chained: the hash of a row covers its content and
-- the hash before it, ids have no gaps, so a row that was changed, removed or slipped in is found.
create table audit_log (
  id bigint primary key check (id > 0),
  -- Whole milliseconds: the hash covers the time as it is read.
  at timestamptz(3) not null,
  actor text not null,
  action text not null,
  subject text not null,
  payment_id text,
  reason text,
  before jsonb,
  after jsonb,
  request_id text not null,
  previous_hash text not null,
  hash text not null unique
);
create index audit_log_by_payment on audit_log (payment_id, id) where payment_id is not null;

create function audit_log_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is never changed or removed' using errcode = '23514';
end $$;
create trigger audit_log_is_append_only before update or delete or truncate on audit_log
  for each statement execute function audit_log_is_append_only();
