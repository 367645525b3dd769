-- The latest task of each job and place at this moment, of those examined jobs in which something may be wrong or was: only
-- the latest can be stuck, failed, invalid, expired or rejected. Most jobs have only tasks that succeeded and are left out.
-- Runs after create_examined_tasks.
create or replace temp table latest_tasks as
with tasks as (
    select * from examined_tasks
),

watched as (
    select
        application_urn,
        external_job_posting_id
    from tasks
    where state != 'SETTLED' or status != 'SUCCEEDED'
    union
    select
        application_urn,
        external_job_posting_id
    from findings
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where resolved_at is null
)

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
    status_changed_at
from tasks
semi join watched using (application_urn, external_job_posting_id)
qualify
    row_number() over (
        partition by application_urn, external_job_posting_id, coalesce(location, '')
        order by requested_at desc, task_urn desc
    ) = 1
