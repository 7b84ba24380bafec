-- Sweeps, reconciliation and the drift they find.

-- How an event reached the inbox: delivered by Stripe, or found missing and listed.
alter table stripe_events add column source text not null default 'webhook' check (source in ('webhook', 'sweep'));

-- What runs by itself. A run holds the advisory lock of its schedule for as long as its session lives, so that of many
-- processes one runs it and a process that dies frees it at once.
create table schedules (
  name text primary key check (name in ('sweep', 'reconcile')),
  next_run_at timestamptz not null default now(),
  -- How far the last run came; only the schedule's own code reads it.
  cursor jsonb not null default '{}'
);
insert into schedules (name) values ('sweep'), ('reconcile');

create table schedule_runs (
  id bigint generated always as identity primary key,
  schedule text not null references schedules (name),
  -- `schedule`, or who asked for it.
  started_by text not null,
  started_at timestamptz not null default now(),
  -- Null while it runs; a run whose process died stays without an end.
  finished_at timestamptz,
  checked int,
  found int,
  -- Whether it stopped at its bound with more to do; the next run goes on at once.
  more boolean,
  error text
);
create index schedule_runs_newest on schedule_runs (schedule, id desc);

-- When a payment is next asked of Stripe, and because of what: another reason begins the intervals anew.
create table payment_checks (
  payment_id text primary key references payments (id),
  reason text not null,
  checks int not null,
  next_at timestamptz not null
);

-- Every difference between what was thought here and what was so: the report of what no webhook told.
create table drift (
  id bigint generated always as identity primary key,
  found_by text not null check (found_by in ('sweep', 'reconcile', 'verify')),
  kind text not null check (kind in ('event_missing', 'payment_differs', 'attempt_unfinished', 'announcement_missing')),
  -- The event, attempt, payment or delivery it is about: a missing event is one row however often it is listed.
  subject text not null,
  payment_id text references payments (id),
  thought text not null,
  stripe_said text not null,
  done text not null,
  -- Seconds between what happened and its being found here; null where nobody knows when it happened.
  age_seconds float8,
  found_at timestamptz not null default now()
);
create unique index drift_event_once on drift (subject) where kind = 'event_missing';
create index drift_newest on drift (found_at);
create index drift_by_payment on drift (payment_id);

create index payments_processing on payments (id) where status = 'processing';
create index refunds_under_way on refunds (payment_id) where status in ('pending', 'requires_action');
create index disputes_under_way on disputes (payment_id)
  where status not in ('won', 'lost', 'warning_closed', 'prevented');
