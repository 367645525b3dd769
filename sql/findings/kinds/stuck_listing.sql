-- Jobs whose listing LinkedIn has called in progress for a day or more. One row per job.
with postings as (
    select * from current_postings
)

select
    'STUCK' as kind,
    'LISTING' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    listings.error_code,
    listings.error_type,
    listings.message,
    listings.source as evidence,
    listings.began_at as since
from postings
inner join latest_listings as listings using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and listings.status = 'IN_PROGRESS'
    and listings.began_at <= $as_of::timestamptz - interval 24 hours
