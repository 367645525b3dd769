-- What does each current finding mean, and who has to do what? One row per finding key. LinkedIn's message is matched with
-- the catalog by the code word before its first colon, by its text, then by its number; an unknown message stays as it came.
-- Where there is no message, the words are those of the kind (models/finding_kind.py).
create or replace temp table explained_findings as
with current_ones as (
    select
        *,
        -- Job ids and places are free text: a bar within one is escaped, so that no two keys are the same.
        concat_ws(
            '|',
            kind,
            facet,
            application_urn,
            replace(replace(external_job_posting_id, '\', '\\'), '|', '\|'),
            case when facet = 'TASK' then replace(replace(coalesce(location, ''), '\', '\\'), '|', '\|') end
        ) as finding_key
    from current_findings
),

catalog as (
    select
        *,
        regexp_full_match(coalesce(code, ''), '\d+') as is_numbered,
        case when match like '%:' then lower(rtrim(match, ':')) end as code_word,
        lower(match) as text,
        count(*) over (partition by source, match) as same_text_count
    from error_catalog
),

messages as (
    select distinct
        source,
        error_code,
        message,
        lower(trim(split_part(message, ':', 1))) as code_word,
        lower(message) as text
    from current_ones
    where source is not null
),

hits as (
    select
        messages.*,
        catalog.code,
        catalog.match,
        catalog.owner,
        catalog.meaning,
        catalog.next_action,
        catalog.position,
        catalog.same_text_count,
        catalog.is_numbered,
        coalesce(catalog.code_word = messages.code_word, false) as is_word_hit,
        coalesce(catalog.text != '' and contains(messages.text, catalog.text), false) as is_text_hit,
        coalesce(catalog.is_numbered and catalog.code = messages.error_code::varchar, false) as is_number_hit
    from messages
    inner join catalog on messages.source = catalog.source
),

matched as (
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
    current_ones.finding_key,
    current_ones.kind,
    current_ones.facet,
    coalesce(current_ones.severity, kinds.severity) as severity,
    current_ones.application_urn,
    current_ones.external_job_posting_id,
    current_ones.location,
    current_ones.task_urn,
    customers.customer,
    customers.account_manager,
    coalesce(
        matched.code,
        current_ones.error_code::varchar,
        case
            when current_ones.source is not null
                then nullif(regexp_extract(current_ones.message, '^\s*([A-Z][A-Z0-9_]{2,}):', 1), '')
        end
    ) as code,
    coalesce(
        matched.meaning,
        case when current_ones.source is not null then current_ones.message end,
        kinds.reason
    ) as reason,
    current_ones.message,
    case
        when
            matched.match = 'Invalid Field: /'
            and regexp_matches(
                current_ones.message, '(?i)Invalid Field: /[^\s,;:]*\b(city|postalCode|state|country|geoLocation)\b'
            )
            then 'CUSTOMER'
        when matched.owner is not null then matched.owner
        when current_ones.error_type = 'CUSTOMER_ERROR' then 'CUSTOMER'
        when current_ones.error_type = 'LINKEDIN_ERROR' then 'LINKEDIN'
        when current_ones.error_type = 'PARTNER_ERROR' then 'PARTNER'
        when current_ones.source is not null and current_ones.message is not null then 'PARTNER'
        else kinds.owner
    end as owner,
    coalesce(matched.next_action, kinds.next_action) as next_action,
    current_ones.since
from current_ones
left join matched
    on
        current_ones.source = matched.source
        and current_ones.error_code is not distinct from matched.error_code
        and current_ones.message is not distinct from matched.message
left join staged_kinds as kinds
    on current_ones.kind = kinds.kind and current_ones.facet = kinds.facet
left join customers on current_ones.application_urn = customers.application_urn
