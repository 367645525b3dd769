-- Latest tasks that failed. A failed CREATE or CLOSE leaves the job other than wanted, so it weighs more. One row per job and
-- place.
with latest as (
    select * from latest_tasks
)

select
    'FAILED' as kind,
    'TASK' as facet,
    case when operation in ('CREATE', 'CLOSE') then 'HIGH' else 'MEDIUM' end as severity,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    'task' as source,
    null as error_code,
    null as error_type,
    error_message as message,
    status_changed_at as since
from latest
where state = 'SETTLED' and status = 'FAILED'
