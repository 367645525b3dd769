-- What LinkedIn last said of each job's listing, LinkedIn Apply and promotion as of this moment. One row per job and facet.
create or replace temp table latest_facets as
with statuses as (
    select *
    from notifications
    where
        type = 'JOB_POSTING_STATUS'
        and external_job_posting_id is not null
        and received_at <= $as_of::timestamptz
),

facets as (
    select
        application_urn,
        external_job_posting_id,
        'LISTING' as facet,
        listing_status as status,
        listing_error_code as error_code,
        listing_error_type as error_type,
        listing_message as message,
        received_at,
        arrival,
        notification_id
    from statuses
    where listing_status is not null
    union all
    select
        application_urn,
        external_job_posting_id,
        'APPLY' as facet,
        apply_status as status,
        apply_error_code as error_code,
        apply_error_type as error_type,
        apply_message as message,
        received_at,
        arrival,
        notification_id
    from statuses
    where apply_status is not null
    union all
    select
        application_urn,
        external_job_posting_id,
        'PROMOTION' as facet,
        promotion_status as status,
        promotion_error_code as error_code,
        promotion_error_type as error_type,
        promotion_message as message,
        received_at,
        arrival,
        notification_id
    from statuses
    where promotion_status is not null
),

ranked as (
    select
        *,
        -- How many statuses other than this one are newer: 0 for the newest ones in a row.
        count(*) filter (where status != 'IN_PROGRESS') over newest_first as newer_or_same_settled
    from facets
    window newest_first as (
        partition by application_urn, external_job_posting_id, facet
        order by received_at desc, arrival desc, notification_id desc
        rows unbounded preceding
    )
)

select
    *,
    min(received_at) filter (where newer_or_same_settled = 0) over (
        partition by application_urn, external_job_posting_id, facet
    ) as in_progress_since
from ranked
qualify
    row_number() over (
        partition by application_urn, external_job_posting_id, facet
        order by received_at desc, arrival desc, notification_id desc
    ) = 1
