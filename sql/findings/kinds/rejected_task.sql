-- Latest tasks whose URN LinkedIn refuses. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'REJECTED' as kind,
    'TASK' as facet,
    'MEDIUM' as severity,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    null as source,
    null as error_code,
    null as error_type,
    error_message as message,
    status_changed_at as since
from latest
where state = 'REJECTED'
