-- Touch the jobs that were checked by jobPostingStatus. Runs with update_posting_checks.
insert into touched_jobs by name
select distinct
    application_urn,
    external_job_posting_id
from staged_checks
anti join touched_jobs using (application_urn, external_job_posting_id)
