-- Payments of customers who were erased: whatever comes in about them later is emptied at once, not after the retention.
alter table payments add column erased_at timestamptz;
create index payments_erased on payments (id) where erased_at is not null;
