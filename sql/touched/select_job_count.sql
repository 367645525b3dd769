-- About how many jobs are there at most? One row.
with requested as (
    select approx_count_distinct(hash(application_urn, external_job_posting_id)) as job_count
    from job_tasks
),

not_requested as (
    select count(*) as job_count
    from job_postings
    where last_task_urn is null
)

select requested.job_count + not_requested.job_count as job_count
from requested
cross join not_requested
