-- Which rows of an import can be used, and why not the others? One row per imported row; `reason` is null for good ones.
create or replace temp table checked_import as
with staged as (
    select * from staged_import
),

cleaned as (
    select
        source,
        line,
        row,
        problem,
        nullif(trim(task_urn), '') as task_urn,
        nullif(trim(external_job_posting_id), '') as external_job_posting_id,
        upper(nullif(trim(operation), '')) as operation,
        nullif(trim(requested_at), '') as requested_text,
        coalesce(nullif(trim(application_urn), ''), $default_application::varchar) as application_urn,
        nullif(trim(location), '') as location,
        nullif(trim(title), '') as title
    from staged
),

dated as (
    select
        *,
        case
            when regexp_matches(requested_text, '^\d{4}-\d{2}-\d{2}') then try_cast(requested_text as timestamptz)
        end as requested_at
    from cleaned
)

select
    source,
    line,
    row,
    task_urn,
    external_job_posting_id,
    operation,
    requested_at,
    application_urn,
    location,
    title,
    case
        when problem is not null then problem
        when task_urn is null then 'task_urn is empty'
        when external_job_posting_id is null then 'external_job_posting_id is empty'
        when operation is null then 'operation is empty'
        when requested_text is null then 'requested_at is empty'
        when requested_at is null or not isfinite(requested_at)
            then 'requested_at is no ISO 8601 date: ' || left(requested_text, 60)
        when application_urn is null
            then 'application_urn is empty, and more or less than one application is configured'
        when len($applications::varchar[]) > 0 and not list_contains($applications::varchar[], application_urn)
            then 'application_urn is of no configured application: ' || left(application_urn, 80)
    end as reason
from dated
