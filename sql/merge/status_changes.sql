-- Remember each observed change of a pending task's status or error message; what refuses it leaves it the status it had.
-- Runs before task_results. One answer a task.
insert into task_status_changes by name
with results as (
    select * from staged_results
),

observed as (
    select
        results.task_urn,
        tasks.status as status_before,
        tasks.error_message as error_message_before,
        case when results.outcome = 'ANSWERED' then results.status else tasks.status end as status,
        results.error_message
    from results
    inner join job_tasks as tasks on results.task_urn = tasks.task_urn and results.application_urn = tasks.application_urn
    where
        tasks.state = 'PENDING'
        and (
            results.outcome in ('ANSWERED', 'REFUSED')
            or (results.outcome = 'NOT_FOUND' and tasks.not_found_count + 1 >= 3)
        )
)

select
    task_urn,
    status,
    error_message,
    $as_of::timestamptz as observed_at,
    $run_id::varchar as run_id
from observed
where status is distinct from status_before or error_message is distinct from error_message_before
