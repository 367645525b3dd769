-- Add the good rows of an import whose task is not known yet; the first of several with the same URN counts.
insert into job_tasks by name
with checked as (
    select * from checked_import
),

fresh as (
    select checked.*
    from checked
    anti join job_tasks using (task_urn)
    where checked.reason is null
    qualify row_number() over (partition by checked.task_urn order by checked.source, checked.line) = 1
)

select
    task_urn,
    application_urn,
    external_job_posting_id,
    title,
    operation,
    location,
    requested_at,
    $imported_at::timestamptz as imported_at,
    'PENDING' as state,
    0 as poll_count,
    0 as not_found_count
from fresh
