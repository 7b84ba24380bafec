-- A booking is seats of one tour on one day for one price. What the gateway says of its payment is kept as the newest
-- version heard; `status` follows from that and from whether the unpaid booking was given up here.
create table bookings (
  id text primary key,
  customer_id text not null,
  customer_email text,
  -- The name and the price as they were when the customer said yes.
  tour_id text not null references tours (id),
  tour_name text not null,
  date date not null,
  seats int not null check (seats > 0),
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  status text not null default 'pending' check (status in (
    'pending', 'confirmed', 'cancelled', 'partially_refunded', 'payment_failed', 'disputed')),
  -- Whether its seats are counted in tour_days. False on a paid booking means the tour was full when the money came.
  holds_seats boolean not null,
  hold_expires_at timestamptz not null,
  given_up_because text check (given_up_because in ('customer', 'hold_expired')),
  payment_version bigint not null default 0 check (payment_version >= 0),
  -- What version `payment_version` said, as one text: the same version saying something else is noticed.
  payment_fingerprint text,
  payment_intent_id text,
  paid_at timestamptz,
  refunded_at timestamptz,
  refunded_minor bigint not null default 0 check (refunded_minor >= 0),
  idempotency_key text,
  idempotency_fingerprint text,
  created_at timestamptz not null default now(),
  foreign key (tour_id, date) references tour_days (tour_id, date),
  unique (customer_id, idempotency_key),
  check ((idempotency_key is null) = (idempotency_fingerprint is null)),
  check ((payment_version = 0) = (payment_fingerprint is null)),
  check (status <> 'cancelled' or not holds_seats),
  -- Nothing counts as paid unless the gateway said so.
  check (status not in ('confirmed', 'partially_refunded', 'disputed') or (payment_version > 0 and paid_at is not null))
);
create index bookings_by_customer on bookings (customer_id, created_at desc, id desc);
create index bookings_to_give_up on bookings (hold_expires_at) where status in ('pending', 'payment_failed');

-- Append-only: every update the gateway sent about a booking we have, also those that changed nothing.
create table booking_payment_updates (
  id bigint generated always as identity primary key,
  booking_id text not null references bookings (id),
  version bigint not null check (version > 0),
  status text not null,
  body jsonb not null,
  idempotency_key text,
  request_id text not null,
  received_at timestamptz not null default now(),
  applied boolean not null,
  reason text,
  -- Why it was not applied, said exactly when it was not.
  check (applied = (reason is null))
);
-- One version takes effect once.
create unique index booking_payment_updates_applied on booking_payment_updates (booking_id, version) where applied;
create index booking_payment_updates_by_booking on booking_payment_updates (booking_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger booking_payment_updates_append_only before update or delete on booking_payment_updates
  for each row execute function refuse_change();
