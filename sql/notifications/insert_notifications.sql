-- Derive the notifications of the delivered jobs: equal bodies in a row about one job are one notification, delivered more than
-- once; the same body after a different one is news. One row per notification. Runs after create_status_fields.
insert into notifications by name
with deliveries as (
    select notification_deliveries.*
    from notification_deliveries
    inner join delivered_jobs
        on
            notification_deliveries.application_urn = delivered_jobs.application_urn
            and coalesce(notification_deliveries.external_job_posting_id, '') = delivered_jobs.external_job_posting_id
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

news as (
    select *
    from counted
    where is_news
),

incomplete as (
    select body_hash
    from news
    where payload is null
),

-- Large payloads are stored with the first delivery of a content only.
contents as (
    select
        notification_deliveries.application_urn,
        coalesce(notification_deliveries.external_job_posting_id, '') as job,
        notification_deliveries.body_hash,
        any_value(notification_deliveries.payload) as payload
    from notification_deliveries
    semi join incomplete using (body_hash)
    where notification_deliveries.payload is not null
    group by all
),

complete as (
    select news.* replace (coalesce(news.payload, contents.payload) as payload)
    from news
    left join contents
        on
            news.payload is null
            and news.body_hash = contents.body_hash
            and news.application_urn = contents.application_urn
            and coalesce(news.external_job_posting_id, '') = contents.job
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
    said.*
from (
    select
        *,
        status_fields(payload) as said
    from complete
) as statements
