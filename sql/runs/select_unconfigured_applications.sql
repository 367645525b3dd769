-- Which applications have pending tasks but are not configured, so that nobody polls them? One row per application.
select
    job_tasks.application_urn,
    count(*) as task_count
from job_tasks
anti join staged_customers using (application_urn)
where job_tasks.state = 'PENDING'
group by job_tasks.application_urn
order by job_tasks.application_urn
