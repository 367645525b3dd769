-- About how many jobs are there? As many as there are tasks, or statements of LinkedIn's, whichever are more: a job with several
-- of them takes more memory too. One row.
with tasks as (
    select count(*) as row_count
    from job_tasks
),

notified as (
    select count(*) as row_count
    from notifications
),

checked as (
    select count(*) as row_count
    from posting_checks
)

select greatest(tasks.row_count, notified.row_count + checked.row_count) as job_count
from tasks
cross join notified
cross join checked
