-- Latest tasks accepted but not live, whose content failed LinkedIn's validation. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'INVALID' as kind,
    'TASK' as facet,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    operation,
    'task' as source,
    error_message as message,
    status_changed_at as since
from latest
where state = 'SETTLED' and status = 'PROCESSED' and error_message is not null
