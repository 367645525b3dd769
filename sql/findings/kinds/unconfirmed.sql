-- Jobs that should be on LinkedIn and of whose listing LinkedIn has said nothing for too long, though it says something of the
-- application. One row per job.
with run as (
    select
        $as_of::timestamptz as as_of,
        to_seconds($unconfirmed_after::double) as after
),

postings as (
    select * from current_postings
),

applications as (
    select * from heard_applications
)

select
    'UNCONFIRMED' as kind,
    'LISTING' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    postings.expected_since + run.after as since
from postings
inner join applications using (application_urn)
cross join run
left join latest_listings as listings using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and postings.expected_since <= run.as_of - run.after
    and coalesce(listings.made_at < postings.expected_since, true)
