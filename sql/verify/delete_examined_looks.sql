-- Delete when to look again at the examined jobs; it is written again in the same transaction.
delete from look_again
using examined_jobs
where
    look_again.application_urn = examined_jobs.application_urn
    and look_again.external_job_posting_id = examined_jobs.external_job_posting_id
