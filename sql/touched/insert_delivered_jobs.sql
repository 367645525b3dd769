-- Touch the jobs that deliveries are about. Runs after insert_deliveries, where one was not known yet.
insert into touched_jobs by name
select distinct
    application_urn,
    external_job_posting_id
from staged_deliveries
anti join touched_jobs using (application_urn, external_job_posting_id)
where external_job_posting_id != ''
