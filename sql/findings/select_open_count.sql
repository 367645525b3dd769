-- How many episodes are open?
select count(*) as open_count
from findings
where resolved_at is null
