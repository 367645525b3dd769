-- Findings that are not about one job are derived whole, by each run: as those of the job ''. One row per application that may
-- have one. Runs after create_examined_jobs, in the last slice, when all jobs are up to date.
insert into examined_jobs by name
select
    '' as application_urn,
    '' as external_job_posting_id
union
select
    application_urn,
    external_job_posting_id
from resync_requests
where external_job_posting_id = ''
union
select
    application_urn,
    external_job_posting_id
from findings
where
    resolved_at is null
    and external_job_posting_id = ''
