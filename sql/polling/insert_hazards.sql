-- Keep what was learned of settling.
insert into settling_hazard by name
select
    staged_learned.*,
    $as_of::timestamptz as learned_at
from staged_learned
