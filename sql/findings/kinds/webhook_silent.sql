-- LinkedIn no longer challenges the webhook, or an application that got notifications every day gets none any more while
-- its tasks settle. One row for the parent application, which owns the webhook: job and application are ''.
with silent as (
    select min(last_received_at) as last_received_at
    from silences
)

select
    'WEBHOOK_SILENT' as kind,
    'WEBHOOK' as facet,
    '' as application_urn,
    '' as external_job_posting_id,
    last_received_at as since
from silent
where last_received_at is not null
