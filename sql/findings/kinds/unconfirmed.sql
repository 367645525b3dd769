-- Jobs that should be on LinkedIn and of which no notification has said so for too long, though the application gets
-- notifications. One row per job.
with postings as (
    select * from job_postings
),

listings as (
    select *
    from latest_facets
    where facet = 'LISTING'
),

notified as (
    select distinct application_urn
    from notifications
    where received_at <= $as_of::timestamptz
)

select
    'UNCONFIRMED' as kind,
    'LISTING' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    postings.expected_since + to_seconds($unconfirmed_after::double) as since
from postings
inner join notified using (application_urn)
left join listings using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and postings.expected_since <= $as_of::timestamptz - to_seconds($unconfirmed_after::double)
    and (listings.received_at is null or listings.received_at < postings.expected_since)
