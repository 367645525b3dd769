-- Jobs that should be on LinkedIn and were promoted, and are no longer. One row per job.
with postings as (
    select * from current_postings
),

promotions as (
    select *
    from latest_facets
    where facet = 'PROMOTION'
)

select
    'PROMOTION_LOST' as kind,
    'PROMOTION' as facet,
    postings.application_urn,
    postings.external_job_posting_id,
    'promotion' as source,
    promotions.error_code,
    promotions.error_type,
    promotions.message,
    promotions.source as evidence,
    promotions.began_at as since
from postings
inner join promotions using (application_urn, external_job_posting_id)
where
    postings.expected_listing = 'LISTED'
    and promotions.status = 'NOT_PROMOTED'
    and promotions.previous_status = 'PROMOTED'
