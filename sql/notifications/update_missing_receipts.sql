-- Notifications that a version without `last_received_at` derived get it from their deliveries.
update notifications
set last_received_at = received.last_received_at
from (
    with old as (
        select
            application_urn,
            external_job_posting_id
        from notifications
        where last_received_at is null
    ),

    deliveries as (
        select notification_deliveries.*
        from notification_deliveries
        semi join old
            on
                notification_deliveries.application_urn = old.application_urn
                and notification_deliveries.external_job_posting_id is not distinct from old.external_job_posting_id
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
    )

    select
        any_value(delivery_id) filter (where is_news) as notification_id,
        max(received_at) as last_received_at
    from numbered
    group by application_urn, external_job_posting_id, episode
) as received
where notifications.notification_id = received.notification_id and notifications.last_received_at is null
