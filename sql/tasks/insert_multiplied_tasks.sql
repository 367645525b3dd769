-- A task that LinkedIn returned without being requested, of a job in the same batch, is a new task of that job: LinkedIn
-- multiplies tasks for a job posted in several places. Operation and time are those of the job's newest task in the batch.
insert into job_tasks by name
with results as (
    select * from staged_results
),

unrequested as (
    select *
    from results
    anti join job_tasks using (task_urn)
    where not is_requested and external_job_posting_id is not null
),

requested as (
    select
        results.batch,
        tasks.*
    from results
    inner join job_tasks as tasks using (task_urn)
    where results.is_requested
),

parents as (
    select
        unrequested.task_urn,
        requested.application_urn,
        requested.external_job_posting_id,
        requested.title,
        requested.operation,
        unrequested.location,
        requested.requested_at
    from unrequested
    inner join requested
        on
            unrequested.batch = requested.batch
            and unrequested.application_urn = requested.application_urn
            and unrequested.external_job_posting_id = requested.external_job_posting_id
    qualify
        row_number() over (partition by unrequested.task_urn order by requested.requested_at desc, requested.task_urn desc) = 1
)

select
    *,
    $as_of::timestamptz as imported_at,
    'PENDING' as state,
    0 as poll_count,
    0 as not_found_count
from parents
