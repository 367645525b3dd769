-- The examined jobs are no longer touched.
delete from touched_jobs
using examined_jobs
where
    touched_jobs.application_urn = examined_jobs.application_urn
    and touched_jobs.external_job_posting_id = examined_jobs.external_job_posting_id
