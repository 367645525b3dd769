-- Latest tasks whose URN LinkedIn does not accept. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'REJECTED' as kind,
    'TASK' as facet,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    operation,
    error_message as message,
    status_changed_at as since
from latest
where state = 'REJECTED'
