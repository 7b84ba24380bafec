-- The inbox: every verified event once, as the bytes that were signed (jsonb refuses \u0000 and lone surrogates).
--   processed  its facts are merged, in the transaction that stored it
--   skipped    it says nothing about a payment of ours; `reason` tells why
--   received   stored, its effect is still owed: the worker applies it at retry_at
--   failed     its tries are spent; a person reads it and replays it
create table stripe_events (
  id text primary key,
  type text not null,
  api_version text,
  livemode boolean not null,
  -- The object the event is about, and the PaymentIntent or charge it waits for when its payment is not known yet.
  object_id text,
  waits_for text,
  payment_id text,
  payload bytea not null,
  status text not null check (status in ('received', 'processed', 'skipped', 'failed')),
  reason text,
  attempts int not null default 0,
  retry_at timestamptz,
  error_message text,
  created_at timestamptz not null,
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  check ((status = 'received') = (retry_at is not null))
);
create index stripe_events_due on stripe_events (retry_at) where status = 'received';
create index stripe_events_waiting on stripe_events (waits_for) where status = 'received' and waits_for is not null;
create index stripe_events_by_payment on stripe_events (payment_id, created_at) where payment_id is not null;
create index stripe_events_failed on stripe_events (received_at) where status = 'failed';

-- The lesson's name and columns for the same table.
create view webhook_events as
  select id as event_id, type as event_type, payload, status, coalesce(processed_at, received_at) as processed_at,
         error_message
  from stripe_events;
