-- Jobs that should be on LinkedIn and to which candidates cannot apply on LinkedIn itself: by an error that is not harmless, or
-- although they could before. One row per job.
with postings as (
    select * from current_postings
),

applies as (
    select *
    from latest_facets
    where facet = 'APPLY'
),

disabled as (
    select
        postings.application_urn,
        postings.external_job_posting_id,
        applies.error_code,
        applies.error_type,
        nullif(applies.message, '') as message,
        applies.source,
        applies.previous_status,
        list_min(list_filter(applies.said_at, lambda moment: moment > postings.expected_since)) as since
    from postings
    inner join applies using (application_urn, external_job_posting_id)
    where
        postings.expected_listing = 'LISTED'
        and applies.status = 'NOT_ENABLED'
        and applies.made_at > postings.expected_since
),

judged as (
    select
        disabled.*,
        coalesce(disabled.error_code::varchar, disabled.error_type, disabled.message) is not null
        and not coalesce(matched.harmless, false) as is_error
    from disabled
    left join matched_messages as matched
        on
            matched.source = 'apply'
            and disabled.error_code is not distinct from matched.error_code
            and disabled.message is not distinct from matched.message
)

select
    'APPLY_DISABLED' as kind,
    'APPLY' as facet,
    case when is_error then 'MEDIUM' else 'LOW' end as severity,
    application_urn,
    external_job_posting_id,
    'apply' as source,
    error_code,
    error_type,
    message,
    source as evidence,
    since
from judged
where is_error or previous_status = 'ENABLED'
