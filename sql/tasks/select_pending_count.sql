-- How many tasks are pending at this moment?
select count(*) as pending
from job_tasks
where state = 'PENDING' and requested_at <= $as_of::timestamptz
