-- About how many jobs are there at most? One row.
with requested as (
    select approx_count_distinct(hash(application_urn, external_job_posting_id)) as job_count
    from job_tasks
),

-- Jobs known from notifications alone.
notified as (
    select approx_count_distinct(hash(application_urn, external_job_posting_id)) as job_count
    from notifications
    anti join job_tasks using (application_urn, external_job_posting_id)
)

select requested.job_count + notified.job_count as job_count
from requested
cross join notified
