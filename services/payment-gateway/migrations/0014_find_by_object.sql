-- Erasing a customer, and a payment's timeline, look for events by the Stripe object they name, and for objects by their
-- payment. A b-tree for that would be written by every event; these are summaries of page ranges, made by vacuum and not
-- by the insert (docs/performance.md), which let both skip nearly all of the tables. What vacuum has not seen yet is read.
create index stripe_events_by_object on stripe_events
  using brin (object_id text_bloom_ops (n_distinct_per_range = 800)) with (pages_per_range = 128);
create index stripe_objects_by_payment on stripe_objects
  using brin (payment_id text_bloom_ops (n_distinct_per_range = 1500)) with (pages_per_range = 32);
