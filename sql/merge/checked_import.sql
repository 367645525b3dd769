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
        -- As they came, for the rows that are refused.
        struct_pack(
            task_urn := task_urn,
            external_job_posting_id := external_job_posting_id,
            operation := operation,
            requested_at := requested_at,
            application_urn := application_urn,
            location := location,
            title := title
        ) as cells,
        contains(
            concat_ws('', task_urn, external_job_posting_id, operation, requested_at, application_urn, location, title), chr(0)
        ) as has_nul,
        nullif(trim(task_urn, e' \t\r\n'), '') as task_urn,
        nullif(trim(external_job_posting_id, e' \t\r\n'), '') as external_job_posting_id,
        upper(nullif(trim(operation, e' \t\r\n'), '')) as operation,
        nullif(trim(requested_at, e' \t\r\n'), '') as requested_text,
        coalesce(nullif(trim(application_urn, e' \t\r\n'), ''), $default_application::varchar) as application_urn,
        nullif(trim(location, e' \t\r\n'), '') as location,
        nullif(trim(title, e' \t\r\n'), '') as title
    from staged
),

-- ISO 8601 may leave out seconds, or dashes and colons, and write a comma for the point; DuckDB reads it only whole.
written_out as (
    select
        *,
        regexp_replace(
            regexp_replace(
                replace(upper(requested_text), ',', '.'),
                '^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})', '\1-\2-\3T\4:\5:\6'
            ),
            '^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})(Z|[+-].*)?$', '\1:00\2'
        ) as moment_text
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
        source,
        line,
        row,
        cells,
        task_urn,
        external_job_posting_id,
        operation,
        requested_at,
        application_urn,
        location,
        title,
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
    source,
    line,
    case
        when reason is not null then coalesce(row, left(to_json(cells)::varchar, $longest_kept_row))
    end as row,
    task_urn,
    external_job_posting_id,
    operation,
    requested_at,
    application_urn,
    location,
    title,
    reason
from judged
