-- A refund above what one person may give back alone waits for a second one, and lapses when none agrees within a day.
-- The new check only adds states: the version before never meets them unless the rule is on.
alter table refund_requests drop constraint refund_requests_state_check;
alter table refund_requests add constraint refund_requests_state_check
  check (state in ('requested', 'made', 'refused', 'waiting', 'lapsed'));
alter table refund_requests add column approved_by text;
alter table refund_requests add constraint refund_requests_two_people check (approved_by <> requested_by);
