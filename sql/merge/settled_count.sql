-- How many of the tasks just answered are settled now?
select count(distinct staged_results.task_urn) as settled
from staged_results
inner join job_tasks as tasks on staged_results.task_urn = tasks.task_urn
where tasks.state = 'SETTLED' and tasks.last_polled_at = $as_of::timestamptz
