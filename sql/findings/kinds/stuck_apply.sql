-- Jobs for which LinkedIn has called LinkedIn Apply in progress for a day or more. One row per job.
with postings as (
    select * from current_postings
),

applies as (
    select *
    from latest_facets
    where facet = 'APPLY'
)

select
    'STUCK' as kind,
    'APPLY' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    applies.error_code,
    applies.error_type,
    applies.message,
    applies.source as evidence,
    applies.began_at as since
from postings
inner join applies using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and applies.status = 'IN_PROGRESS'
    and applies.began_at <= $as_of::timestamptz - interval 24 hours
