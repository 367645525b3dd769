-- Insert newly estimated hazards. One row per application and age bin.
insert into settling_hazard by name
select * from staged_estimates
