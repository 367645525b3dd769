-- What does each message of LinkedIn's mean? One row per source, error number and text of the jobs concerned. It is matched with
-- the error catalog by the code word before its first colon, by its text, then by its number; `position` is null for an unknown
-- one. Runs after create_latest_tasks and create_latest_facets.
create or replace temp table matched_messages as
with catalog as (
    select
        *,
        regexp_full_match(coalesce(code, ''), '\d+') as is_numbered,
        case when match like '%:' then lower(rtrim(match, ':')) end as code_word,
        lower(match) as text,
        count(*) over (partition by source, match) as same_text_count
    from error_catalog
    where coalesce(after_days, 0) = 0
),

said as (
    select
        'task' as source,
        null::bigint as error_code,
        error_message as message
    from examined_tasks
    semi join latest_tasks using (application_urn, external_job_posting_id)
    where status in ('FAILED', 'PROCESSED')
    union
    select
        lower(facet) as source,
        error_code,
        nullif(message, '') as message
    from latest_facets
),

messages as (
    select
        *,
        lower(trim(split_part(message, ':', 1))) as code_word,
        lower(message) as text
    from said
    where message is not null or error_code is not null
),

hits as (
    select
        messages.source,
        messages.error_code,
        messages.message,
        catalog.code,
        catalog.position,
        catalog.same_text_count,
        catalog.is_numbered,
        coalesce(catalog.code_word = messages.code_word, false) as is_word_hit,
        coalesce(catalog.text != '' and contains(messages.text, catalog.text), false) as is_text_hit,
        coalesce(catalog.is_numbered and catalog.code = messages.error_code::varchar, false) as is_number_hit
    from messages
    inner join catalog on messages.source = catalog.source
),

best as (
    select *
    from hits
    -- A number tells apart rows that share their text, so such a row is not taken for its text alone.
    where is_number_hit or ((is_word_hit or is_text_hit) and (not is_numbered or same_text_count = 1))
    qualify
        row_number() over (
            partition by source, error_code, message
            order by is_word_hit desc, is_text_hit desc, is_number_hit desc, position asc
        ) = 1
)

select
    messages.source,
    messages.error_code,
    messages.message,
    best.position,
    catalog.about,
    catalog.harmless,
    coalesce(
        best.code,
        messages.error_code::varchar,
        nullif(regexp_extract(messages.message, '^\s*([A-Z][A-Z0-9_]{2,}):', 1), '')
    ) as code
from messages
left join best
    on
        messages.source = best.source
        and messages.error_code is not distinct from best.error_code
        and messages.message is not distinct from best.message
left join catalog on best.position = catalog.position
