-- How many jobs are touched, or due to be looked at again? One row; a job that is both counts twice.
with due as (
    select count(*) as job_count
    from look_again
    where due_at <= $as_of::timestamptz
),

touched as (
    select count(*) as job_count
    from touched_jobs
)

select due.job_count + touched.job_count as job_count
from due
cross join touched
