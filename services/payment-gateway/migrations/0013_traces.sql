-- The trace in which an attempt was begun (W3C traceparent), where traces are collected: the webhook and the announcement,
-- which come later and in other processes, go on with it.
alter table payment_attempts add column traceparent text check (length(traceparent) <= 64);
