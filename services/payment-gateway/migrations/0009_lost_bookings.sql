-- Paid, but the booking service answered that the seats had been given to others when the money came. The payer's page
-- says so, and the money goes back by itself where that is the policy.
alter table payments add column booking_lost boolean not null default false;
