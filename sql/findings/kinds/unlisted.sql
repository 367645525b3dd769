-- Jobs that should be on LinkedIn and are not. One row per job.
with postings as (
    select * from job_postings
),

listings as (
    select *
    from latest_facets
    where facet = 'LISTING'
)

select
    'UNLISTED' as kind,
    'LISTING' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    'listing' as source,
    listings.error_code,
    listings.error_type,
    listings.message,
    listings.received_at as since
from postings
inner join listings using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and listings.status = 'NOT_LISTED'
    and listings.received_at > postings.expected_since
