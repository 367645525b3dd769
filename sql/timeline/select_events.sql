-- Everything known about one job, in order of time. One row per event.
with tasks as (
    select *
    from job_tasks
    where
        external_job_posting_id = $job::varchar
        and ($application_urn::varchar is null or application_urn = $application_urn::varchar)
),

told as (
    select *
    from notifications
    where
        external_job_posting_id = $job::varchar
        and ($application_urn::varchar is null or application_urn = $application_urn::varchar)
),

found as (
    select *
    from findings
    where
        external_job_posting_id = $job::varchar
        and ($application_urn::varchar is null or application_urn = $application_urn::varchar)
),

events as (
    select
        application_urn,
        requested_at as happened_at,
        0 as rank,
        'request' as event,
        operation || coalesce(' for ' || location, '') || ' requested' as what,
        task_urn as detail
    from tasks
    union all
    select
        tasks.application_urn,
        changes.observed_at as happened_at,
        1 as rank,
        'poll' as event,
        'LinkedIn says ' || coalesce(changes.status, 'nothing') || ' of the ' || tasks.operation as what,
        changes.error_message as detail
    from task_status_changes as changes
    inner join tasks on changes.task_urn = tasks.task_urn
    union all
    select
        application_urn,
        last_polled_at as happened_at,
        2 as rank,
        'poll' as event,
        'last of ' || poll_count || case poll_count when 1 then ' look' else ' looks' end || ' at the ' || operation as what,
        'state ' || state as detail
    from tasks
    where last_polled_at is not null and state != 'SETTLED'
    union all
    select
        application_urn,
        received_at as happened_at,
        3 as rank,
        'notification' as event,
        concat_ws(
            ', ',
            'listing ' || listing_status,
            'Easy Apply ' || apply_status,
            'promotion ' || promotion_status,
            case when deliveries > 1 then 'delivered ' || deliveries || ' times' end
        ) as what,
        concat_ws(' ', listing_message, apply_message, promotion_message) as detail
    from told
    union all
    select
        application_urn,
        opened_at as happened_at,
        4 as rank,
        'finding' as event,
        kind || ' (' || facet || ', ' || severity || ') opened' as what,
        reason as detail
    from found
    union all
    select
        application_urn,
        resolved_at as happened_at,
        5 as rank,
        'finding' as event,
        kind || ' (' || facet || ') resolved: ' || resolution as what,
        null as detail
    from found
    where resolved_at is not null
)

select
    application_urn,
    happened_at,
    event,
    what,
    nullif(detail, '') as detail
from events
order by application_urn, happened_at, rank, what
