-- Latest tasks whose outcome was never learned and can no longer be. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'EXPIRED' as kind,
    'TASK' as facet,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    error_message as message,
    requested_at + to_microseconds(($lifespan_seconds::double * 1000000)::bigint) as since
from latest
where state = 'EXPIRED'
