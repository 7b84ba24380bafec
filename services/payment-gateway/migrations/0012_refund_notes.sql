-- Why money was given back in an operator's own words, where it is none of the three reasons Stripe knows.
alter table refund_requests add column note text;
