-- Touch the jobs of polled tasks whose result says something new, and of tasks that were returned without being requested. Runs
-- before update_task_results, and after insert_multiplied_tasks.
insert into touched_jobs by name
select distinct
    tasks.application_urn,
    tasks.external_job_posting_id
from job_tasks as tasks
inner join staged_results as results using (task_urn, application_urn)
anti join touched_jobs
    on
        tasks.application_urn = touched_jobs.application_urn
        and tasks.external_job_posting_id = touched_jobs.external_job_posting_id
where
    tasks.state = 'PENDING'
    and (
        not results.is_requested
        or (
            results.outcome = 'RECEIVED'
            and (results.status is distinct from tasks.status or results.error_message is distinct from tasks.error_message)
        )
        or coalesce(results.job_posting_urn != coalesce(tasks.job_posting_urn, ''), false)
        or results.outcome = 'INVALID_URN'
        or (results.outcome = 'NOT_FOUND' and tasks.not_found_count + 1 >= 3)
    )
