-- Touch the jobs that resync requests name, of the applications of which LinkedIn has just requested jobs again: one more
-- delivery may move earlier requests too. Runs after insert_resync_requests.
insert into touched_jobs by name
select distinct
    application_urn,
    external_job_posting_id
from resync_requests
anti join touched_jobs using (application_urn, external_job_posting_id)
where
    external_job_posting_id != ''
    and application_urn in (select delivered_jobs.application_urn from delivered_jobs)
