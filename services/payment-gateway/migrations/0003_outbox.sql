-- The outbox: what the booking service is owed, written in the transaction that caused it, delivered in order of
-- `version` per booking and in parallel across bookings.
create table deliveries (
  id text primary key,
  payment_id text not null references payments (id),
  booking_id text not null,
  version int not null check (version > 0),
  body jsonb not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts int not null default 0,
  due_at timestamptz not null default now(),
  -- The process that sends it now, alive as long as its session holds the advisory lock of that number; the claim
  -- number fences off a process that wakes up late.
  claimed_by int,
  claim int not null default 0,
  last_error text,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  unique (booking_id, version)
);
create index deliveries_due on deliveries (due_at) where status = 'pending';
create index deliveries_in_order on deliveries (booking_id, version) where status = 'pending';

create table delivery_attempts (
  id bigint generated always as identity primary key,
  delivery_id text not null references deliveries (id),
  number int not null,
  outcome text not null check (outcome in ('delivered', 'refused', 'failed')),
  response_status int,
  error text,
  duration_ms int not null,
  at timestamptz not null default now()
);
create index delivery_attempts_by_delivery on delivery_attempts (delivery_id, number);

-- Numbers the processes that claim deliveries.
create sequence worker_numbers as int cycle;
