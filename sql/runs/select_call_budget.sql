-- Calls of one UTC day, as the last run recorded them. One row per application and resource.
select *
from call_budget
where utc_date = $utc_date
