-- Sweeps, reconciliation and the drift they find.
select 1;
