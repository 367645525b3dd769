-- Jobs that should be on LinkedIn and lost LinkedIn Apply by an error. One row per job.
with postings as (
    select * from job_postings
),

applies as (
    select *
    from latest_facets
    where facet = 'APPLY'
)

select
    'APPLY_DISABLED' as kind,
    'APPLY' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    'apply' as source,
    applies.error_code,
    applies.error_type,
    applies.message,
    applies.received_at as since
from postings
inner join applies using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and applies.status = 'NOT_ENABLED'
    and (applies.error_code is not null or applies.error_type is not null)
    and applies.received_at > postings.expected_since
