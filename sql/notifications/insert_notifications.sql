-- Derive the notifications of the touched jobs: equal bodies in a row about one job are one notification, delivered more than
-- once; the same body after a different one is news. One row per notification. Each optional field is taken from the top
-- level or from jobPostingInfo, whichever has it.
insert into notifications by name
with deliveries as (
    select notification_deliveries.*
    from notification_deliveries
    inner join touched_jobs
        on
            notification_deliveries.application_urn = touched_jobs.application_urn
            and coalesce(notification_deliveries.external_job_posting_id, '') = touched_jobs.external_job_posting_id
),

compared as (
    select
        *,
        coalesce(body_hash != lag(body_hash) over in_order, true) as is_news
    from deliveries
    window in_order as (
        partition by application_urn, external_job_posting_id
        order by received_at, arrival, delivery_id
    )
),

numbered as (
    select
        *,
        count(*) filter (where is_news) over (
            partition by application_urn, external_job_posting_id
            order by received_at, arrival, delivery_id
            rows unbounded preceding
        ) as episode
    from compared
),

counted as (
    select
        *,
        count(*) over same_content as deliveries,
        max(received_at) over same_content as last_received_at
    from numbered
    window same_content as (partition by application_urn, external_job_posting_id, episode)
),

notified as (
    select
        *,
        coalesce(
            nullif(payload -> '$.listingStatusDetail', 'null'), payload -> '$.jobPostingInfo.listingStatusDetail'
        ) as listing,
        coalesce(
            nullif(payload -> '$.linkedInApplyStatusDetail', 'null'), payload -> '$.jobPostingInfo.linkedInApplyStatusDetail'
        ) as apply,
        coalesce(
            nullif(payload -> '$.promotionStatusDetail', 'null'), payload -> '$.jobPostingInfo.promotionStatusDetail'
        ) as promotion,
        coalesce(
            nullif(payload -> '$.companyDetails', 'null'), payload -> '$.jobPostingInfo.companyDetails'
        ) as company,
        try_cast(coalesce(payload ->> '$.listedAt', payload ->> '$.jobPostingInfo.listedAt') as bigint) as listed_ms,
        try_cast(coalesce(payload ->> '$.expireAt', payload ->> '$.jobPostingInfo.expireAt') as bigint) as expire_ms
    from counted
    where is_news
)

select
    delivery_id as notification_id,
    application_urn,
    external_job_posting_id,
    type,
    received_at,
    last_received_at,
    arrival,
    deliveries,
    payload,
    coalesce(payload ->> '$.listingStatus', payload ->> '$.jobPostingInfo.listingStatus') as listing_status,
    try_cast(listing ->> '$.errorCode' as bigint) as listing_error_code,
    listing ->> '$.errorType' as listing_error_type,
    listing ->> '$.statusMessage' as listing_message,
    coalesce(payload ->> '$.linkedInApplyStatus', payload ->> '$.jobPostingInfo.linkedInApplyStatus') as apply_status,
    try_cast(apply ->> '$.errorCode' as bigint) as apply_error_code,
    apply ->> '$.errorType' as apply_error_type,
    apply ->> '$.statusMessage' as apply_message,
    coalesce(payload ->> '$.promotionStatus', payload ->> '$.jobPostingInfo.promotionStatus') as promotion_status,
    try_cast(promotion ->> '$.errorCode' as bigint) as promotion_error_code,
    promotion ->> '$.errorType' as promotion_error_type,
    promotion ->> '$.statusMessage' as promotion_message,
    coalesce(payload ->> '$.jobPostingUrl', payload ->> '$.jobPostingInfo.jobPostingUrl') as job_posting_url,
    coalesce(company ->> '$.companyName', company ->> '$.name') as company_name,
    coalesce(payload ->> '$.location', payload ->> '$.jobPostingInfo.location') as location,
    nullif(
        array_to_string(
            json_extract_string(payload, '$.alternateLocations[*]')
            || json_extract_string(payload, '$.jobPostingInfo.alternateLocations[*]'), '; '
        ), ''
    ) as alternate_locations,
    -- A moment before 1970 or after the year 9999 is none: one body that makes no sense must not stop the others.
    case when listed_ms between 0 and 253402300799999 then to_timestamp(listed_ms / 1000) end as listed_at,
    case when expire_ms between 0 and 253402300799999 then to_timestamp(expire_ms / 1000) end as expire_at
from notified
