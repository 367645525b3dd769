-- Latest tasks LinkedIn has not settled for too long. They weigh less where LinkedIn has
-- said since that the job is as requested. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'STUCK' as kind,
    'TASK' as facet,
    case
        when
            listings.made_at > latest.requested_at
            and listings.status = case
                when latest.operation in ('CREATE', 'UPDATE', 'RENEW') then 'LISTED'
                when latest.operation = 'CLOSE' then 'NOT_LISTED'
            end
            then 'LOW'
    end as severity,
    latest.application_urn,
    latest.external_job_posting_id,
    latest.location,
    latest.task_urn,
    latest.operation,
    latest.error_message as message,
    latest.requested_at as since
from latest
left join latest_listings as listings using (application_urn, external_job_posting_id)
where
    latest.state = 'PENDING'
    and latest.requested_at <= $as_of::timestamptz - to_seconds($stuck_after::double)
