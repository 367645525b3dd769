-- How many pending tasks were not polled for 24 hours? One number.
select count(*)
from job_tasks
where
    state = 'PENDING'
    and coalesce(last_polled_at, requested_at) <= $as_of::timestamptz - interval 24 hours
