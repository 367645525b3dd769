-- Delete the job postings of the examined jobs; they are written again in the same transaction.
delete from job_postings
using examined_jobs
where
    job_postings.application_urn = examined_jobs.application_urn
    and job_postings.external_job_posting_id = examined_jobs.external_job_posting_id
