-- Remember each observed change of a pending task's status or error message. Runs before task_results.
insert into task_status_changes by name
with answers as (
    select *
    from staged_results
    where outcome = 'ANSWERED'
    qualify row_number() over (partition by task_urn order by is_asked desc, batch asc) = 1
)

select
    answers.task_urn,
    answers.status,
    answers.error_message,
    $as_of::timestamptz as observed_at,
    $run_id::varchar as run_id
from answers
inner join job_tasks as tasks on answers.task_urn = tasks.task_urn and answers.application_urn = tasks.application_urn
where
    tasks.state = 'PENDING'
    and (answers.status is distinct from tasks.status or answers.error_message is distinct from tasks.error_message)
