-- How many jobs are touched, or due to be looked at again? One row; a job that is both counts twice.
with touched as (
    select count(*) as job_count
    from touched_jobs
),

due as (
    select count(*) as job_count
    from look_again
    where due_at <= $as_of::timestamptz
)

select touched.job_count + due.job_count as job_count
from touched
cross join due
