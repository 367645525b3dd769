-- How many tasks were found settled at this moment?
select count(*) as settled
from job_tasks
where state = 'SETTLED' and last_polled_at = $as_of::timestamptz
