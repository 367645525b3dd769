-- Latest tasks whose outcome was never known and cannot be known any more. They weigh less where LinkedIn has
-- said since that the job is as requested. One row per job and place.
with latest as (
    select * from latest_tasks
)

select
    'EXPIRED' as kind,
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
    latest.requested_at + to_microseconds(($lifespan_seconds::double * 1000000)::bigint) as since
from latest
left join latest_listings as listings using (application_urn, external_job_posting_id)
where latest.state = 'EXPIRED'
