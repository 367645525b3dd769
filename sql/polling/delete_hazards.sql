-- Delete the estimated hazards, before new estimates are inserted.
delete from settling_hazard
