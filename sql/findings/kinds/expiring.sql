-- Jobs that are on LinkedIn as they should be and whose time runs out soon, without a renewal since LinkedIn said so. One row per
-- job.
with run as (
    select
        $as_of::timestamptz as as_of,
        to_seconds($expiring_within::double) as within
),

postings as (
    select * from job_postings
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
        job_tasks.application_urn,
        job_tasks.external_job_posting_id,
        max(job_tasks.requested_at) as renewed_at
    from job_tasks
    cross join run
    where
        job_tasks.operation = 'RENEW'
        and job_tasks.state = 'SETTLED'
        and job_tasks.status = 'SUCCEEDED'
        and job_tasks.requested_at <= run.as_of
    group by job_tasks.application_urn, job_tasks.external_job_posting_id
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
