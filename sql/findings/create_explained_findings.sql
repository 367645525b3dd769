-- What does each current finding mean, and who has to do what? One row per finding key. The words are those of the error catalog
-- where LinkedIn sent a message, an unknown message stays as it came; else, and where the message is harmless, they are those of
-- the kind (models/finding_kind.py). Both may change with the age of the episode. Nothing is expected of a retired application.
create or replace temp table explained_findings as
with run as (
    select $as_of::timestamptz as as_of
),

keyed as (
    select
        current_findings.*,
        -- Job ids and places are free text: a bar within one is escaped, so that no two keys are the same.
        concat_ws(
            '|',
            current_findings.kind,
            current_findings.facet,
            current_findings.application_urn,
            replace(replace(current_findings.external_job_posting_id, '\', '\\'), '|', '\|'),
            case
                when current_findings.facet = 'TASK'
                    then replace(replace(coalesce(current_findings.location, ''), '\', '\\'), '|', '\|')
            end
        ) as finding_key,
        customers.customer,
        customers.account_manager
    from current_findings
    left join customers using (application_urn)
    where not coalesce(customers.retired, false)
),

episodes as (
    select
        finding_key,
        since
    from findings
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where resolved_at is null
),

listings as (
    select
        application_urn,
        external_job_posting_id,
        case status when 'LISTED' then true when 'NOT_LISTED' then false end as is_live
    from latest_listings
),

aged as (
    select
        keyed.*,
        listings.is_live,
        (epoch_us(run.as_of) - epoch_us(coalesce(episodes.since, keyed.since))) / 1000000 as age_seconds
    from keyed
    cross join run
    left join episodes on keyed.finding_key = episodes.finding_key
    left join listings using (application_urn, external_job_posting_id)
),

messages as (
    select
        matched.*,
        catalog.match,
        catalog.meaning
    from matched_messages as matched
    left join error_catalog as catalog on matched.position = catalog.position
),

own_codes as (
    select
        source,
        code,
        position
    from error_catalog
    where match = ''
),

-- What the catalog advises from which age on.
advice as (
    select
        first.position,
        catalog.after_days * 86400 as after_seconds,
        catalog.owner,
        catalog.meaning,
        catalog.next_action,
        catalog.remedy
    from error_catalog as first
    inner join error_catalog as catalog
        on
            first.source = catalog.source
            and first.match = catalog.match
            and first.code is not distinct from catalog.code
    where first.after_days = 0
),

worded as (
    select
        aged.*,
        coalesce(aged.code, messages.code) as full_code,
        messages.match,
        kinds.severity as kind_severity,
        kinds.evidence as kind_evidence,
        case
            when advice.meaning is not null
                then replace(
                    advice.meaning,
                    '{fields}',
                    -- "/location/postalCode" is the postal code.
                    coalesce(
                        nullif(
                            array_to_string(
                                list_transform(
                                    regexp_extract_all(aged.message, '(?:^|[\s,;])/([A-Za-z][A-Za-z0-9_/]*)', 1),
                                    lambda field:
                                    lower(regexp_replace(split_part(field, '/', -1), '([a-z0-9])([A-Z])', '\1 \2', 'g'))
                                ),
                                ', '
                            ), ''
                        ), 'it does not say which'
                    )
                )
            when aged.source is not null and not coalesce(messages.harmless, false) then nullif(aged.message, '')
        end as meaning,
        kinds.reason as kind_reason,
        advice.owner as known_owner,
        kinds.owner as kind_owner,
        coalesce(advice.next_action, kinds.next_action) as next_action,
        case when advice.position is null then kinds.remedy else advice.remedy end as wanted_remedy
    from aged
    left join messages
        on
            aged.source = messages.source
            and aged.error_code is not distinct from messages.error_code
            and nullif(aged.message, '') is not distinct from messages.message
    left join own_codes on aged.source = own_codes.source and aged.code = own_codes.code
    left join advice
        on
            advice.position = coalesce(own_codes.position, case when not messages.harmless then messages.position end)
            and (advice.after_seconds = 0 or aged.age_seconds > advice.after_seconds)
    left join staged_kinds as kinds
        on
            aged.kind = kinds.kind
            and aged.facet = kinds.facet
            and (kinds.after_seconds = 0 or aged.age_seconds > kinds.after_seconds)
    qualify
        row_number() over (
            partition by aged.finding_key order by advice.after_seconds desc nulls last, kinds.after_seconds desc nulls last
        ) = 1
),

repeated as (
    select
        *,
        coalesce(meaning, kind_reason) as bare_reason,
        case
            -- LinkedIn refuses to create a job that it shows.
            when operation = 'CREATE' and is_live then 'UPDATE'
            when operation in ('CREATE', 'UPDATE', 'RENEW', 'CLOSE') then operation
        end as operation_again
    from worded
),

remedied as (
    select
        *,
        case when wanted_remedy = 'AGAIN' then coalesce(operation_again, 'NONE') else wanted_remedy end as remedy
    from repeated
)

select
    finding_key,
    kind,
    facet,
    coalesce(severity, kind_severity) as severity,
    application_urn,
    external_job_posting_id,
    location,
    task_urn,
    customer,
    account_manager,
    full_code as code,
    case
        when addition is null then bare_reason
        else concat(bare_reason, case when regexp_matches(bare_reason, '[.!?]\s*$') then ' ' else '. ' end, addition)
    end as reason,
    message,
    case
        when
            match = 'Invalid Field: /'
            and regexp_matches(
                message, '(?i)(?:^|[\s,;])/(?:[a-z0-9_]+/)*(?:city|postalCode|state|country|geoLocation)\b'
            )
            then 'CUSTOMER'
        when known_owner is not null then known_owner
        when source is not null and error_type in ('CUSTOMER_ERROR', 'PARTNER_ERROR', 'LINKEDIN_ERROR')
            then replace(error_type, '_ERROR', '')
        when source is not null and meaning is not null then 'PARTNER'
        else kind_owner
    end as owner,
    replace(
        next_action,
        '{as}',
        case case when remedy in ('CREATE', 'UPDATE', 'RENEW', 'CLOSE') then remedy else operation_again end
            when 'CREATE' then 'as a new job'
            when 'UPDATE' then 'as an update'
            when 'RENEW' then 'as a renewal'
            when 'CLOSE' then 'as a closing request'
            else 'in the same way'
        end
    ) as next_action,
    remedy,
    coalesce(evidence, kind_evidence) as evidence,
    is_live,
    since
from remedied
