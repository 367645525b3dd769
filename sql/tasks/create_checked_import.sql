-- Which rows of an import can be used, and why not the others? One row per imported row; `reason` is null for good ones, and
-- `example` is the text that a reason is about.
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
        case
            -- DuckDB reads more than ISO 8601: names of time zones, offsets of days, years before Christ.
            when
                regexp_full_match(
                    moment_text, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d(:[0-5]\d)?)?)'
                )
                then try_cast(moment_text as timestamptz)
            when regexp_full_match(moment_text, '\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d+)?)?')
                then timezone($timezone::varchar, try_cast(moment_text as timestamp))
            -- With dots the day comes first.
            when regexp_full_match(requested_text, '\d{1,2}\.\d{1,2}\.\d{4}([T ]\d{1,2}:\d{2}(:\d{2})?)?')
                then timezone(
                    $timezone::varchar,
                    try_strptime(replace(requested_text, 'T', ' '), ['%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M', '%d.%m.%Y'])
                )
            -- An epoch of seconds, milliseconds, microseconds or nanoseconds.
            when regexp_full_match(requested_text, '\d{10}(\.\d+)?|\d{13}(\.\d+)?|\d{16}(\.\d+)?|\d{19}(\.\d+)?')
                then timezone(
                    'UTC', make_timestamp(left(rpad(regexp_extract(requested_text, '^\d+'), 19, '0'), 16)::bigint)
                )
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
                then 'requested_at is no ISO 8601 date; name how it is written with --date-format'
            when requested_at < timestamptz '2000-01-01 00:00:00+00' then 'requested_at is before the year 2000'
            when requested_at > $now::timestamptz + interval 1 day then 'requested_at is more than a day ahead of the clock'
            when application_urn is null
                then 'application_urn is empty, and more or less than one application is configured'
            when len($applications::varchar[]) > 0 and not list_contains($applications::varchar[], application_urn)
                then 'application_urn is of no configured application: ' || left(application_urn, 80)
        end as reason
    from dated
)

select
    * exclude (problem, requested_text, has_nul, moment_text) replace (
        case
            when problem is not null then left(row, $max_row_length)
            -- Complete and in our own columns, so that a row can be tried again.
            when reason is not null
                then left(
                    json_object(
                        'task_urn', task_urn,
                        'external_job_posting_id', external_job_posting_id,
                        'operation', operation,
                        'requested_at', coalesce(strftime(requested_at, '%Y-%m-%dT%H:%M:%S.%fZ'), requested_text),
                        'application_urn', application_urn,
                        'location', location,
                        'title', title
                    )::varchar,
                    $max_row_length
                )
        end as row
    ),
    left(
        case
            when problem is not null then row
            when starts_with(reason, 'requested_at') then requested_text
            else task_urn
        end, 80
    ) as example
from judged
