-- Jobs that LinkedIn notifies about and that no task was ever imported for. One row per job.
with notified as (
    select
        application_urn,
        external_job_posting_id,
        min(received_at) as first_received_at
    from notifications
    where
        external_job_posting_id is not null
        and type = 'JOB_POSTING_STATUS'
        and received_at <= $as_of::timestamptz
    group by application_urn, external_job_posting_id
)

select
    'UNKNOWN_JOB' as kind,
    'LISTING' as facet,
    notified.application_urn,
    notified.external_job_posting_id,
    notified.first_received_at as since
from notified
inner join job_postings using (application_urn, external_job_posting_id)
where job_postings.last_task_urn is null
