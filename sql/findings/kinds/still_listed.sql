-- Jobs that were closed and that LinkedIn still lists more than an hour later. One row per job.
with postings as (
    select * from current_postings
),

closed as (
    select
        *,
        expected_since + interval 1 hour as down_by
    from postings
    -- Only a CLOSE that succeeded gives NOT_LISTED a moment; a job never created has none.
    where expected_listing = 'NOT_LISTED' and expected_since is not null
)

select
    'STILL_LISTED' as kind,
    'LISTING' as facet,
    closed.application_urn,
    closed.external_job_posting_id,
    listings.error_code,
    listings.error_type,
    listings.message,
    listings.source as evidence,
    list_min(list_filter(listings.said_at, lambda moment: moment > closed.down_by)) as since
from closed
inner join latest_listings as listings using (application_urn, external_job_posting_id)
where
    listings.status = 'LISTED'
    and listings.made_at > closed.down_by
