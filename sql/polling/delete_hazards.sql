-- Forget what was learned of settling, before what was learned anew is kept.
delete from settling_hazard
