-- A payment is one price owed for one booking. What Stripe has told about it is merged into `known`; everything to the
-- right of it is derived from `known` in the same transaction, so that it can be queried and constrained.
create table payments (
  id text primary key,
  booking_id text not null unique,
  -- Null when the payment was made outside and adopted, and the booking names no customer.
  customer_id text,
  livemode boolean not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  known jsonb not null default '{}',
  status text not null default 'pending' check (status in (
    'pending', 'processing', 'succeeded', 'failed', 'canceled', 'expired', 'partially_refunded', 'refunded', 'disputed')),
  captured_minor bigint not null default 0 check (captured_minor >= 0),
  refunded_minor bigint not null default 0 check (refunded_minor >= 0 and refunded_minor <= captured_minor),
  payment_intent_id text,
  paid_at timestamptz,
  error_code text,
  error_message text,
  -- What the booking service was last told, and under which version; compared with what it should know.
  announced jsonb,
  announced_version int not null default 0,
  version int not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- One try at collecting the payment. The parameters are stored before Stripe is called and replayed word for word with
-- the attempt's id as idempotency key: a crash at any point makes neither two sessions nor a lost one.
create table payment_attempts (
  id text primary key,
  payment_id text not null references payments (id),
  number int not null check (number > 0),
  kind text not null check (kind in ('checkout_session', 'payment_intent')),
  state text not null check (state in ('creating', 'open', 'closed')),
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  parameters jsonb not null,
  session_id text unique,
  payment_intent_id text unique,
  checkout_url text,
  expires_at timestamptz,
  -- When Stripe was last asked about this attempt because a payer or the reconciler wanted to know.
  checked_at timestamptz,
  closed_because text,
  created_at timestamptz not null default now(),
  unique (payment_id, number),
  check (state = 'creating' or session_id is not null or payment_intent_id is not null or closed_because is not null)
);
create unique index payment_attempts_one_live on payment_attempts (payment_id) where state in ('creating', 'open');

-- Which payment a Stripe object belongs to. Refunds and disputes name only their PaymentIntent or charge.
create table stripe_objects (
  id text primary key,
  payment_id text not null references payments (id),
  linked_at timestamptz not null default now()
);

-- Append-only: every change of a payment's status, and what caused it.
create table payment_transitions (
  id bigint generated always as identity primary key,
  payment_id text not null references payments (id),
  version int not null,
  from_status text not null,
  to_status text not null,
  because text not null,
  at timestamptz not null default now()
);
create index payment_transitions_by_payment on payment_transitions (payment_id, id);

-- What may read one payment without being signed in: hashed at rest, scoped to the payment, expiring.
create table status_tokens (
  token_hash text primary key,
  payment_id text not null references payments (id),
  expires_at timestamptz not null
);
create index status_tokens_by_payment on status_tokens (payment_id);

-- What a person must look at: money that does not fit what was asked, payments nobody here made.
create table incidents (
  id bigint generated always as identity primary key,
  kind text not null,
  -- The Stripe object or booking it is about: the same trouble seen twice is one incident.
  subject text not null,
  payment_id text references payments (id),
  detail jsonb not null,
  raised_at timestamptz not null default now(),
  resolved_at timestamptz,
  unique (kind, subject)
);
