-- Add deliveries that are not known yet: merging one twice changes nothing. A large payload that a job has already is not stored
-- again: notifications take it from another delivery of the same content.
insert into notification_deliveries by name
with new_deliveries as (
    select
        staged_deliveries.* exclude (external_job_posting_id),
        staged_deliveries.external_job_posting_id,
        coalesce(staged_deliveries.external_job_posting_id, '') as job,
        strlen(staged_deliveries.payload) > 8192 as is_large
    from staged_deliveries
    anti join notification_deliveries using (delivery_id)
    qualify row_number() over (partition by staged_deliveries.delivery_id order by staged_deliveries.arrival) = 1
),

large as (
    select distinct
        application_urn,
        job,
        body_hash
    from new_deliveries
    where is_large
),

stored as (
    select distinct
        large.application_urn,
        large.job,
        large.body_hash
    from notification_deliveries
    inner join large
        on
            notification_deliveries.body_hash = large.body_hash
            and notification_deliveries.application_urn = large.application_urn
            and coalesce(notification_deliveries.external_job_posting_id, '') = large.job
    where notification_deliveries.payload is not null
),

compared as (
    select
        new_deliveries.*,
        stored.body_hash is not null
        or row_number() over (
            partition by new_deliveries.application_urn, new_deliveries.job, new_deliveries.body_hash
            order by new_deliveries.received_at, new_deliveries.arrival
        ) > 1 as is_stored
    from new_deliveries
    left join stored using (application_urn, job, body_hash)
)

select
    * exclude (payload, job, is_large, is_stored),
    case when not (is_large and is_stored) then payload::json end as payload
from compared
