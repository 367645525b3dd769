-- The last run, as it ended. One row.
select *
from runs
order by as_of desc, started_at desc
limit 1
