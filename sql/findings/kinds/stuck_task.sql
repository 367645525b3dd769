-- Latest tasks LinkedIn has not settled for too long. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'STUCK' as kind,
    'TASK' as facet,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    error_message as message,
    requested_at as since
from latest
where
    state = 'PENDING'
    and requested_at <= $as_of::timestamptz - to_seconds($stuck_after::double)
