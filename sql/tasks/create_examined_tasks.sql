-- The tasks of the examined jobs that were requested by this moment. One row per task. Runs after create_examined_jobs.
create or replace temp table examined_tasks as
select
    job_tasks.task_urn,
    job_tasks.application_urn,
    job_tasks.external_job_posting_id,
    job_tasks.title,
    job_tasks.operation,
    job_tasks.location,
    job_tasks.requested_at,
    job_tasks.state,
    job_tasks.status,
    job_tasks.error_message,
    job_tasks.job_posting_urn,
    job_tasks.status_changed_at
from job_tasks
semi join examined_jobs using (application_urn, external_job_posting_id)
where job_tasks.requested_at <= $as_of::timestamptz
