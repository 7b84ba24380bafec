-- What operators do and what they may look up.
select 1;
