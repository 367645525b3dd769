-- LinkedIn no longer challenges the webhook, or an application that got notifications every day gets none any more while
-- its tasks settle. One row for the parent, whose webhook it is: the job and the application are ''.
with heard as (
    select min(last_heard_at) as last_heard_at
    from silences
)

select
    'WEBHOOK_SILENT' as kind,
    'WEBHOOK' as facet,
    'HIGH' as severity,
    '' as application_urn,
    '' as external_job_posting_id,
    null as location,
    null as task_urn,
    null as source,
    null as error_code,
    null as error_type,
    null as message,
    last_heard_at as since
from heard
where last_heard_at is not null
