-- Jobs that are on LinkedIn as they should be and whose time runs out soon, without a renewal since LinkedIn said so. One row per
-- job.
with run as (
    select
        $as_of::timestamptz as as_of,
        to_seconds($expiring_within::double) as within
),

postings as (
    select * from current_postings
),

expiring as (
    select
        postings.application_urn,
        postings.external_job_posting_id,
        expiries.source,
        expiries.made_at,
        expiries.expire_at - run.within as since
    from postings
    inner join latest_expiries as expiries using (application_urn, external_job_posting_id)
    cross join run
    where
        postings.expected_listing = 'LISTED'
        and postings.listing_status = 'LISTED'
        and expiries.expire_at - run.within <= run.as_of
        and run.as_of < expiries.expire_at
),

renewals as (
    select
        application_urn,
        external_job_posting_id,
        max(requested_at) as renewed_at
    from examined_tasks
    where
        operation = 'RENEW'
        and state = 'SETTLED'
        and status = 'SUCCEEDED'
    group by application_urn, external_job_posting_id
)

select
    'EXPIRING' as kind,
    'LISTING' as facet,
    expiring.application_urn,
    expiring.external_job_posting_id,
    expiring.source as evidence,
    expiring.since
from expiring
left join renewals using (application_urn, external_job_posting_id)
where coalesce(renewals.renewed_at <= expiring.made_at, true)
