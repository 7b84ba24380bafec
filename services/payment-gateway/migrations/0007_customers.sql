-- By customer: how many payments somebody began within the hour, and everything of one who is to be erased.
create index payments_by_customer on payments (customer_id) where customer_id is not null;
