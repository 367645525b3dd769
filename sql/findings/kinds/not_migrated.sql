-- Jobs that LinkedIn accepted but does not show, because the customer's jobs still come from a feed: no statement since says that
-- the job is listed, or names an error, which is UNLISTED. One row per job.
with postings as (
    select * from current_postings
),

listings as (
    select
        latest.*,
        matched.code as linkedin_code,
        coalesce(latest.error_code::varchar, latest.error_type, nullif(latest.message, '')) is not null as has_error
    from latest_listings as latest
    left join matched_messages as matched
        on
            matched.source = 'listing'
            and latest.error_code is not distinct from matched.error_code
            and nullif(latest.message, '') is not distinct from matched.message
)

select
    'NOT_MIGRATED' as kind,
    'LISTING' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    -- Of LinkedIn's words only these explain more than the kind itself.
    case when listings.linkedin_code = 'PENDING_CUSTOMER_MIGRATION' then 'listing' end as source,
    listings.error_code,
    listings.error_type,
    listings.message,
    coalesce(listings.source, 'TASK') as evidence,
    postings.expected_since as since
from postings
left join listings
    on
        postings.application_urn = listings.application_urn
        and postings.external_job_posting_id = listings.external_job_posting_id
        and postings.expected_since < listings.made_at
where
    postings.expected_listing = 'UNKNOWN'
    and case listings.status
        when 'LISTED' then false
        when 'NOT_LISTED'
            then
                listings.code is not null
                or not listings.has_error
                or coalesce(listings.linkedin_code = 'PENDING_CUSTOMER_MIGRATION', false)
        else true
    end
