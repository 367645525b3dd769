-- Jobs that LinkedIn notifies about and that no task was ever imported for. One row per job.
with notified as (
    select
        application_urn,
        external_job_posting_id,
        min(first_made_at) as first_received_at
    from statements
    where source = 'NOTIFICATION'
    group by application_urn, external_job_posting_id
)

select
    'UNKNOWN_JOB' as kind,
    'LISTING' as facet,
    notified.application_urn,
    notified.external_job_posting_id,
    notified.first_received_at as since
from notified
inner join current_postings using (application_urn, external_job_posting_id)
where current_postings.last_task_urn is null
