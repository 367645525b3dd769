-- The landing database that the last run used; null before the first. One row.
select arg_max(landing_id, started_at) as landing_id
from runs
where landing_id is not null
