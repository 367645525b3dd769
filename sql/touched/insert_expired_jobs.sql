-- Touch the jobs of pending tasks that have outlived their life at LinkedIn. Runs before update_expired_tasks.
insert into touched_jobs by name
select distinct
    application_urn,
    external_job_posting_id
from job_tasks
anti join touched_jobs using (application_urn, external_job_posting_id)
where
    state = 'PENDING'
    and requested_at <= $as_of::timestamptz - to_microseconds(($lifespan_seconds::double * 1000000)::bigint)
