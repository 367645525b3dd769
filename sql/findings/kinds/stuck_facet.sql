-- Jobs whose listing or Easy Apply LinkedIn calls in progress for a day or more. One row per job and facet.
with postings as (
    select * from job_postings
),

facets as (
    select *
    from latest_facets
    where facet in ('LISTING', 'APPLY')
)

select
    'STUCK' as kind,
    facets.facet,
    'MEDIUM' as severity,
    postings.application_urn,
    postings.external_job_posting_id,
    null as location,
    null as task_urn,
    null as source,
    facets.error_code,
    facets.error_type,
    facets.message,
    facets.in_progress_since as since
from postings
inner join facets using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and facets.status = 'IN_PROGRESS'
    and facets.in_progress_since <= $as_of::timestamptz - interval 24 hours
