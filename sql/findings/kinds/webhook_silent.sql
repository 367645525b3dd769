-- LinkedIn has blocked the webhook, no longer challenges it, or an application that got notifications every day gets none any
-- more while its tasks settle. One row for the parent application, which owns the webhook: job and application are ''.
with silent as (
    select
        min(last_received_at) as last_received_at,
        bool_or(is_blocked) as is_blocked
    from silences
    where exists (
        select examined_jobs.application_urn
        from examined_jobs
        where examined_jobs.application_urn = '' and examined_jobs.external_job_posting_id = ''
    )
)

select
    'WEBHOOK_SILENT' as kind,
    'WEBHOOK' as facet,
    '' as application_urn,
    '' as external_job_posting_id,
    case
        when is_blocked
            then 'It has blocked the webhook: your integration team validates it again with the button in the developer portal.'
    end as addition,
    last_received_at as since
from silent
where last_received_at is not null
