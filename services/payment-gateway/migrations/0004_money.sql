-- Refunds, disputes, fees and the double-entry ledger.
select 1;
