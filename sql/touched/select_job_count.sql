-- About how many jobs are there? As many as there are tasks or notifications, whichever are more: a job with several of them
-- takes more memory too. One row.
with tasks as (
    select count(*) as job_count
    from job_tasks
),

notified as (
    select count(*) as job_count
    from notifications
)

select greatest(tasks.job_count, notified.job_count) as job_count
from tasks
cross join notified
