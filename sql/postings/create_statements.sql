-- Everything LinkedIn has said of each examined job's posting as of this moment: notifications, and checks by
-- jobPostingStatus. One row per statement; it is made when it was last received or checked, `sequence` is their order. A check
-- of a job that LinkedIn does not know says NOT_LISTED and nothing else.
create or replace temp table statements as
with run as (
    select $as_of::timestamptz as as_of
),

received as (
    select
        notifications.* exclude (payload),
        run.as_of
    from notifications
    semi join examined_jobs using (application_urn, external_job_posting_id)
    cross join run
    where
        notifications.type = 'JOB_POSTING_STATUS'
        and notifications.external_job_posting_id is not null
        and notifications.received_at <= run.as_of
),

-- Where the last delivery is later than this moment, the last one that is not.
earlier_deliveries as (
    select
        received.notification_id,
        max(deliveries.received_at) as last_received_at
    from received
    inner join notification_deliveries as deliveries using (application_urn, external_job_posting_id)
    where
        received.last_received_at > received.as_of
        and deliveries.received_at between received.received_at and received.as_of
    group by received.notification_id
),

said as (
    select
        received.application_urn,
        received.external_job_posting_id,
        'NOTIFICATION' as source,
        received.notification_id as statement_id,
        received.received_at as first_made_at,
        case
            when received.last_received_at <= received.as_of then received.last_received_at
            else coalesce(earlier_deliveries.last_received_at, received.received_at)
        end as made_at,
        received.arrival,
        null as code,
        received.listing_status,
        received.listing_error_code,
        received.listing_error_type,
        received.listing_message,
        received.apply_status,
        received.apply_error_code,
        received.apply_error_type,
        received.apply_message,
        received.promotion_status,
        received.promotion_error_code,
        received.promotion_error_type,
        received.promotion_message,
        received.job_posting_url,
        received.expire_at
    from received
    left join earlier_deliveries on received.notification_id = earlier_deliveries.notification_id
    union all by name
    select
        checks.application_urn,
        checks.external_job_posting_id,
        'CHECK' as source,
        checks.check_id as statement_id,
        checks.checked_at as first_made_at,
        least(checks.last_checked_at, run.as_of) as made_at,
        0 as arrival,
        case when checks.is_known then null else 'UNKNOWN_TO_LINKEDIN' end as code,
        case when checks.is_known then checks.listing_status else 'NOT_LISTED' end as listing_status,
        case when checks.is_known then checks.listing_error_code end as listing_error_code,
        case when checks.is_known then checks.listing_error_type end as listing_error_type,
        case when checks.is_known then checks.listing_message end as listing_message,
        case when checks.is_known then checks.apply_status end as apply_status,
        checks.apply_error_code,
        checks.apply_error_type,
        checks.apply_message,
        case when checks.is_known then checks.promotion_status end as promotion_status,
        checks.promotion_error_code,
        checks.promotion_error_type,
        checks.promotion_message,
        case when checks.is_known then checks.job_posting_url end as job_posting_url,
        case when checks.is_known then checks.expire_at end as expire_at
    from posting_checks as checks
    semi join examined_jobs using (application_urn, external_job_posting_id)
    cross join run
    where checks.checked_at <= run.as_of
)

select
    *,
    -- Later is greater; of one moment the notification comes before the check.
    create_sort_key(
        made_at, 'asc nulls last',
        source = 'CHECK', 'asc nulls last',
        first_made_at, 'asc nulls last',
        arrival, 'asc nulls last',
        statement_id, 'asc nulls last'
    ) as sequence
from said
