-- Events that are no payment's (subscriptions) and that another service of the platform wants: sent on, each until it is
-- taken in. Written in the transaction that stores the event, and only where such a service is configured.
create table forwards (
  event_id text primary key,
  status text not null default 'pending' check (status in ('pending', 'forwarded', 'dead')),
  attempts int not null default 0,
  -- Until then whoever sends it is left alone.
  retry_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  forwarded_at timestamptz
);
create index forwards_due on forwards (retry_at) where status = 'pending';
