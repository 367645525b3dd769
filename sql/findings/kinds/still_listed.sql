-- Jobs that were closed and that LinkedIn still lists more than an hour later. One row per job.
with postings as (
    select * from job_postings
),

listings as (
    select *
    from latest_facets
    where facet = 'LISTING'
)

select
    'STILL_LISTED' as kind,
    'LISTING' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    listings.error_code,
    listings.error_type,
    listings.message,
    listings.received_at as since
from postings
inner join listings using (application_urn, external_job_posting_id)
where
    -- Only a CLOSE that succeeded gives NOT_LISTED a moment; a job never created has none.
    postings.expected_listing = 'NOT_LISTED'
    and postings.expected_since is not null
    and listings.status = 'LISTED'
    and epoch_us(listings.received_at) - epoch_us(postings.expected_since) > 3600000000
