-- The latest task of each job and place at this moment; only it can be stuck, failed, invalid, expired or rejected.
create or replace temp table latest_tasks as
select
    task_urn,
    application_urn,
    external_job_posting_id,
    location,
    operation,
    requested_at,
    state,
    status,
    error_message,
    status_changed_at,
    last_polled_at
from job_tasks
where requested_at <= $as_of::timestamptz
qualify
    row_number() over (
        partition by application_urn, external_job_posting_id, coalesce(location, '')
        order by requested_at desc, task_urn desc
    ) = 1
