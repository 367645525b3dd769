-- A task LinkedIn told of unasked, of a job that was in the same batch, is a new task of that job: LinkedIn multiplies tasks
-- for a job posted in several places. Operation and time are those of the job's newest task in the batch.
insert into job_tasks by name
with results as (
    select * from staged_results
),

unasked as (
    select *
    from results
    anti join job_tasks using (task_urn)
    where not is_requested and external_job_posting_id is not null
),

asked as (
    select
        results.batch,
        tasks.*
    from results
    inner join job_tasks as tasks using (task_urn)
    where results.is_requested
),

parents as (
    select
        unasked.task_urn,
        asked.application_urn,
        asked.external_job_posting_id,
        asked.title,
        asked.operation,
        unasked.location,
        asked.requested_at
    from unasked
    inner join asked
        on
            unasked.batch = asked.batch
            and unasked.application_urn = asked.application_urn
            and unasked.external_job_posting_id = asked.external_job_posting_id
    qualify
        row_number() over (partition by unasked.task_urn order by asked.requested_at desc, asked.task_urn desc) = 1
)

select
    *,
    $as_of::timestamptz as imported_at,
    'PENDING' as state,
    0 as poll_count,
    0 as not_found_count
from parents
