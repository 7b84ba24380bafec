-- Refunds and disputes as records of their own, for queries and constraints; the truth they mirror is payments.known.
create table refunds (
  id text primary key,
  payment_id text not null references payments (id),
  payment_intent_id text,
  status text not null check (status in ('pending', 'requires_action', 'succeeded', 'canceled', 'failed')),
  amount_minor bigint not null check (amount_minor >= 0),
  currency text not null,
  reason text,
  failure_reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index refunds_by_payment on refunds (payment_id);

create table disputes (
  id text primary key,
  payment_id text not null references payments (id),
  payment_intent_id text,
  status text not null,
  amount_minor bigint not null check (amount_minor >= 0),
  currency text not null,
  reason text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index disputes_by_payment on disputes (payment_id);

-- Money we asked Stripe to give back. Written before Stripe is called, with its id as idempotency key: a crash or a
-- double click refunds once. What is requested is reserved: no two requests together give back more than there is.
create table refund_requests (
  id text primary key,
  payment_id text not null references payments (id),
  payment_intent_id text not null,
  idempotency_key text not null,
  amount_minor bigint not null check (amount_minor > 0),
  reason text check (reason in ('duplicate', 'fraudulent', 'requested_by_customer')),
  requested_by text not null,
  state text not null default 'requested' check (state in ('requested', 'made', 'refused')),
  refund_id text,
  refused_because text,
  attempts int not null default 0,
  -- Part of Stripe's idempotency key: after a 5xx that left no refund behind the same key would repeat the 5xx for a day.
  key_number int not null default 1,
  -- Until then whoever works on it is left alone.
  retry_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  unique (payment_id, idempotency_key),
  check ((state = 'made') = (refund_id is not null))
);
create index refund_requests_due on refund_requests (retry_at) where state = 'requested';

-- The double-entry ledger: every posting is two or more entries that sum to zero. Entries are only ever added.
create table ledger_entries (
  posting text not null,
  payment_id text not null references payments (id),
  account text not null check (account in ('stripe_balance', 'customer_funds', 'disputed_funds', 'stripe_fees')),
  amount_minor bigint not null check (amount_minor <> 0),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  posted_at timestamptz not null default now(),
  primary key (posting, account)
);
create index ledger_entries_by_payment on ledger_entries (payment_id);

create function ledger_postings_balance() returns trigger language plpgsql as $$
begin
  if exists (select from added group by posting, currency having sum(amount_minor) <> 0)
    or exists (select from added group by posting having count(distinct currency) > 1 or count(distinct payment_id) > 1) then
    raise exception 'a ledger posting does not balance' using errcode = '23514';
  end if;
  return null;
end $$;
-- A posting is inserted whole by one statement, so the statement's own rows tell whether it balances.
create trigger ledger_postings_balance after insert on ledger_entries
  referencing new table as added for each statement execute function ledger_postings_balance();

create function ledger_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'ledger entries are never changed or removed; post the opposite' using errcode = '23514';
end $$;
create trigger ledger_is_append_only before update or delete or truncate on ledger_entries
  for each statement execute function ledger_is_append_only();

-- Charges whose fee Stripe has worked out and we have not read yet: it comes with the balance transaction, seconds after
-- the charge, and only by asking.
create table fees_due (
  charge_id text primary key,
  payment_id text not null references payments (id),
  balance_transaction_id text not null,
  retry_at timestamptz not null default now()
);
create index fees_due_at on fees_due (retry_at);
