-- Latest tasks that failed. A failed CREATE or CLOSE weighs more: the job is not as it should be. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'FAILED' as kind,
    'TASK' as facet,
    case when operation in ('CREATE', 'CLOSE') then 'HIGH' end as severity,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    'task' as source,
    error_message as message,
    status_changed_at as since
from latest
where state = 'SETTLED' and status = 'FAILED'
