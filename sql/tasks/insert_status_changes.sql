-- Record the changes of tasks' status or error message that polling found and that are not recorded yet: when a run has polled,
-- and when a run begins, for one that was killed in between. Each change belongs to the run with its as_of.
insert into task_status_changes by name
with lately as (
    select coalesce(max(observed_at), '-infinity'::timestamptz) as observed_at from task_status_changes
),

remembered as (
    select
        task_urn,
        observed_at
    from task_status_changes
    where observed_at >= (select observed_at from lately)
),

observers as (
    select
        as_of,
        arg_max(run_id, started_at) as run_id
    from runs
    group by as_of
)

select
    tasks.task_urn,
    tasks.status,
    tasks.error_message,
    tasks.status_changed_at as observed_at,
    coalesce(observers.run_id, $run_id::varchar) as run_id
from job_tasks as tasks
anti join remembered on tasks.task_urn = remembered.task_urn and tasks.status_changed_at = remembered.observed_at
left join observers on tasks.status_changed_at = observers.as_of
where
    tasks.status_changed_at >= (select observed_at from lately)
    -- A task that expired was not polled; one that is refused without a message keeps what it had.
    and tasks.status_changed_at = tasks.last_polled_at
    and (tasks.state in ('PENDING', 'SETTLED') or (tasks.state = 'REJECTED' and tasks.error_message is not null))
