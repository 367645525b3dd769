-- Touch the jobs of an import's good rows whose task is not known yet. Runs before insert_imported_tasks.
insert into touched_jobs by name
select distinct
    application_urn,
    external_job_posting_id
from checked_import
anti join job_tasks using (task_urn)
anti join touched_jobs using (application_urn, external_job_posting_id)
where reason is null
