-- How long LinkedIn took, from the request until we saw the outcome. One row per settled task.
select
    job_tasks.task_urn,
    job_tasks.application_urn,
    customers.customer,
    customers.account_manager,
    job_tasks.external_job_posting_id,
    job_tasks.operation,
    job_tasks.status,
    job_tasks.requested_at,
    job_tasks.status_changed_at as settled_at,
    greatest(0, (epoch_us(job_tasks.status_changed_at) - epoch_us(job_tasks.requested_at)) / 1000000) as seconds,
    job_tasks.poll_count
from job_tasks
left join customers on job_tasks.application_urn = customers.application_urn
where job_tasks.state = 'SETTLED'
