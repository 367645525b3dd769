-- Which rows of an import are good, and why are the others not? One row per imported row; `reason` is null for good ones.
create or replace temp table checked_import as
with staged as (
    select * from staged_import
),

cleaned as (
    select
        * exclude (requested_at) replace (
            nullif(task_urn, '') as task_urn,
            nullif(external_job_posting_id, '') as external_job_posting_id,
            upper(nullif(operation, '')) as operation,
            coalesce(nullif(application_urn, ''), $default_application::varchar) as application_urn,
            nullif(location, '') as location,
            nullif(title, '') as title
        ),
        nullif(requested_at, '') as requested_text,
        -- As they came, for the rows that are refused.
        struct_pack(
            task_urn,
            external_job_posting_id,
            operation,
            requested_at,
            application_urn,
            location,
            title
        ) as cells,
        contains(
            concat_ws('', task_urn, external_job_posting_id, operation, requested_at, application_urn, location, title), chr(0)
        ) as has_nul
    from staged
),

-- ISO 8601 may leave out seconds, or dashes and colons, and write a comma for the point; DuckDB reads it only whole.
written_out as (
    select
        *,
        case
            when requested_text like '____-__-__T__:__:__%' and not contains(requested_text, ',') then upper(requested_text)
            else regexp_replace(
                regexp_replace(
                    replace(upper(requested_text), ',', '.'),
                    '^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})', '\1-\2-\3T\4:\5:\6'
                ),
                '^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})(Z|[+-].*)?$', '\1:00\2'
            )
        end as moment_text
    from cleaned
),

dated as (
    select
        *,
        -- DuckDB reads more than ISO 8601: names of time zones, offsets of days, years before Christ.
        case
            when
                regexp_full_match(
                    moment_text,
                    '\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d(:[0-5]\d)?)?)?)?'
                )
                and try_cast(moment_text as timestamptz) >= '0001-01-01 00:00:00+00'::timestamptz
                and try_cast(moment_text as timestamptz) < '9999-12-31 00:00:00+00'::timestamptz
                then try_cast(moment_text as timestamptz)
        end as requested_at
    from written_out
),

judged as (
    select
        *,
        case
            when problem is not null then problem
            when has_nul then 'holds a NUL character'
            when task_urn is null then 'task_urn is empty'
            when external_job_posting_id is null then 'external_job_posting_id is empty'
            when operation is null then 'operation is empty'
            when requested_text is null then 'requested_at is empty'
            when requested_at is null
                then 'requested_at is no ISO 8601 date: ' || left(requested_text, 60)
            when application_urn is null
                then 'application_urn is empty, and more or less than one application is configured'
            when len($applications::varchar[]) > 0 and not list_contains($applications::varchar[], application_urn)
                then 'application_urn is of no configured application: ' || left(application_urn, 80)
        end as reason
    from dated
)

select
    * exclude (problem, requested_text, cells, has_nul, moment_text) replace (
        case
            when reason is not null then coalesce(row, left(to_json(cells)::varchar, $max_row_length))
        end as row
    )
from judged
