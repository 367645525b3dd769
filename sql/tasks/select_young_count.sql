-- How many pending tasks are too young for their first poll? One row.
select count(*)
from job_tasks
where
    state = 'PENDING'
    and requested_at <= $as_of::timestamptz
    and requested_at > $as_of::timestamptz - to_microseconds(($first_check_after::double * 1000000)::bigint)
