-- Jobs that are not listed and should be, or that LinkedIn names an error of while the customer is not yet migrated. One row per
-- job.
with postings as (
    select * from current_postings
),

stated as (
    select
        postings.application_urn,
        postings.external_job_posting_id,
        postings.expected_listing,
        listings.code,
        listings.error_code,
        listings.error_type,
        nullif(listings.message, '') as message,
        listings.source,
        list_min(list_filter(listings.said_at, lambda moment: moment > postings.expected_since)) as since,
        postings.expire_at,
        listings.made_at - postings.expected_since as after_request
    from postings
    inner join latest_listings as listings using (application_urn, external_job_posting_id)
    where
        postings.expected_listing in ('LISTED', 'UNKNOWN')
        and listings.status = 'NOT_LISTED'
        and listings.made_at > postings.expected_since
),

unlisted as (
    select
        stated.*,
        coalesce(stated.expire_at <= stated.since, false) as is_run_out,
        matched.code as linkedin_code
    from stated
    left join matched_messages as matched
        on
            matched.source = 'listing'
            and stated.error_code is not distinct from matched.error_code
            and stated.message is not distinct from matched.message
    where
        case stated.expected_listing
            when 'LISTED' then stated.code is null or stated.after_request > interval 1 hour
            else
                stated.code is null
                and coalesce(stated.error_code::varchar, stated.error_type, stated.message) is not null
                and not coalesce(matched.code = 'PENDING_CUSTOMER_MIGRATION', false)
        end
)

select
    'UNLISTED' as kind,
    'LISTING' as facet,
    case when expected_listing = 'UNKNOWN' or is_run_out then 'MEDIUM' end as severity,
    application_urn,
    external_job_posting_id,
    'listing' as source,
    case when is_run_out and linkedin_code is null then 'EXPIRED_POSTING' else code end as code,
    error_code,
    error_type,
    message,
    source as evidence,
    since
from unlisted
