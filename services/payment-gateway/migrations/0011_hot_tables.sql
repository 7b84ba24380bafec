-- How the tables that every payment touches are stored (docs/performance.md has what each line was measured to bring).

-- Payloads of 2 to 4 kB stay beside their row as they came: compressing each costs the server four times as much as
-- storing it. They are redacted after EVENT_RETENTION_DAYS. Whoever needs the disk more than the speed sets
-- `storage extended` again.
alter table stripe_events alter column payload set storage external;
alter table stripe_events set (toast_tuple_target = 8160);

-- A payment's row is written again by each of its events within seconds: room on its page keeps the new version there,
-- without touching an index. The same for a delivery, which is claimed and then done.
alter table payments set (fillfactor = 60);
alter table deliveries set (fillfactor = 60);
alter table payment_attempts set (fillfactor = 80);

-- By the size of a table vacuum comes ever later; here it comes after a fixed number of changes, whatever the size, and
-- works in small bites.
alter table payments set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000);
alter table deliveries set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000);
alter table payment_attempts set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000);
-- Only retention and retries change events; inserts are visited to freeze them in passing and not all at once later.
alter table stripe_events set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 500000,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000);

-- The same rule in one pass over the statement's rows instead of two with sorts.
create or replace function ledger_postings_balance() returns trigger language plpgsql as $$
begin
  if exists (select from added group by posting
             having sum(amount_minor) <> 0 or min(currency) <> max(currency) or min(payment_id) <> max(payment_id)) then
    raise exception 'a ledger posting does not balance' using errcode = '23514';
  end if;
  return null;
end $$;

-- Where retention must not pass: the oldest event whose effect is owed. Without it the minimum is looked for among all.
create index stripe_events_owed_since on stripe_events (received_at) where status = 'received';
