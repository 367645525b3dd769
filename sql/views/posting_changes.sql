-- What changed on LinkedIn: one row each time LinkedIn said something else of a job's listing, LinkedIn Apply or promotion than
-- before, the first time left out.
with statements as (
    select
        application_urn,
        external_job_posting_id,
        'NOTIFICATION' as source,
        coalesce(last_received_at, received_at) as made_at,
        received_at as first_made_at,
        arrival,
        listing_status,
        listing_message,
        apply_status,
        apply_message,
        promotion_status,
        promotion_message
    from notifications
    where type = 'JOB_POSTING_STATUS' and external_job_posting_id is not null
    union all by name
    select
        application_urn,
        external_job_posting_id,
        'CHECK' as source,
        last_checked_at as made_at,
        checked_at as first_made_at,
        0 as arrival,
        case when is_known then listing_status else 'NOT_LISTED' end as listing_status,
        case when is_known then listing_message else 'UNKNOWN_TO_LINKEDIN' end as listing_message,
        apply_status,
        apply_message,
        promotion_status,
        promotion_message
    from posting_checks
),

-- Most jobs have had the same statuses throughout.
varied as (
    select
        application_urn,
        external_job_posting_id
    from statements
    group by application_urn, external_job_posting_id
    having
        min(listing_status) != max(listing_status)
        or min(apply_status) != max(apply_status)
        or min(promotion_status) != max(promotion_status)
),

facets as (
    select
        application_urn,
        external_job_posting_id,
        source,
        made_at,
        first_made_at,
        arrival,
        unnest([
            struct_pack(facet := 'LISTING', status := listing_status, message := listing_message),
            struct_pack(facet := 'APPLY', status := apply_status, message := apply_message),
            struct_pack(facet := 'PROMOTION', status := promotion_status, message := promotion_message)
        ]) as said
    from statements
    semi join varied using (application_urn, external_job_posting_id)
),

compared as (
    select
        application_urn,
        external_job_posting_id,
        said.facet,
        lag(said.status) over in_order as from_status,
        said.status as to_status,
        said.message,
        -- A notification from before the previous statement says it anew by its last delivery.
        case when first_made_at > lag(made_at) over in_order then first_made_at else made_at end as changed_at,
        source
    from facets
    where said.status is not null
    window in_order as (
        partition by application_urn, external_job_posting_id, said.facet
        order by made_at asc, source desc, first_made_at asc, arrival asc
    )
)

select
    application_urn,
    external_job_posting_id,
    facet,
    from_status,
    to_status,
    message,
    changed_at,
    source
from compared
where from_status != to_status
