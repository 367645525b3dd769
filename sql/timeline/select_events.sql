-- What happened to some jobs before a moment (null: until now), in order of time? One row per event; of each job the newest
-- `max_events` (null: all).
with jobs as (
    select distinct
        application_urn,
        external_job_posting_id
    from staged_jobs
),

moment as (
    select coalesce($until::timestamptz, 'infinity'::timestamptz) as until
),

tasks as (
    select job_tasks.*
    from job_tasks
    semi join jobs using (application_urn, external_job_posting_id)
),

changes as (
    select
        task_status_changes.*,
        tasks.application_urn,
        tasks.external_job_posting_id,
        tasks.operation,
        tasks.location
    from task_status_changes
    inner join tasks on task_status_changes.task_urn = tasks.task_urn
),

statements as (
    select notifications.*
    from notifications
    semi join jobs using (application_urn, external_job_posting_id)
),

checks as (
    select posting_checks.*
    from posting_checks
    semi join jobs using (application_urn, external_job_posting_id)
),

episodes as (
    select
        findings.*,
        tasks.operation
    from findings
    semi join jobs using (application_urn, external_job_posting_id)
    left join tasks on findings.task_urn = tasks.task_urn
),

events as (
    select
        application_urn,
        external_job_posting_id,
        requested_at as happened_at,
        'request' as event,
        1 as step_order,
        operation,
        location,
        1 as times
    from tasks
    union all by name
    select
        application_urn,
        external_job_posting_id,
        observed_at as happened_at,
        'poll' as event,
        2 as step_order,
        'change' as step,
        operation,
        status,
        location,
        error_message as detail
    from changes
    union all by name
    select
        application_urn,
        external_job_posting_id,
        last_polled_at as happened_at,
        'poll' as event,
        3 as step_order,
        operation,
        location,
        poll_count as times
    from tasks
    where state != 'SETTLED' and last_polled_at is not null
    union all by name
    select
        application_urn,
        external_job_posting_id,
        received_at as happened_at,
        'notification' as event,
        4 as step_order,
        concat_ws(' ', 'LISTING_' || listing_status, 'APPLY_' || apply_status, 'PROMOTION_' || promotion_status) as status,
        deliveries as times,
        nullif(concat_ws(' ', listing_message, apply_message, promotion_message), '') as detail
    from statements
    union all by name
    select
        application_urn,
        external_job_posting_id,
        checked_at as happened_at,
        'check' as event,
        4 as step_order,
        case
            when is_known
                then concat_ws(' ', 'LISTING_' || listing_status, 'APPLY_' || apply_status, 'PROMOTION_' || promotion_status)
        end as status,
        nullif(concat_ws(' ', listing_message, apply_message, promotion_message), '') as detail
    from checks
    union all by name
    select
        application_urn,
        external_job_posting_id,
        opened_at as happened_at,
        'finding' as event,
        5 as step_order,
        'opened' as step,
        operation,
        kind as status,
        facet,
        location,
        reason as detail
    from episodes
    union all by name
    select
        application_urn,
        external_job_posting_id,
        resolved_at as happened_at,
        'finding' as event,
        6 as step_order,
        operation,
        kind as status,
        facet,
        resolution,
        location
    from episodes
    where resolved_at is not null
),

ranked as (
    select
        events.*,
        row_number() over (
            partition by application_urn, external_job_posting_id
            -- To the last column that differs: what is read twice comes in the same order.
            order by
                happened_at desc, step_order desc, operation desc, status desc, location desc, facet desc, detail desc, times desc
        ) as newness
    from events
    cross join moment
    where happened_at < moment.until
)

select * exclude (newness, step_order)
from ranked
where newness <= coalesce($max_events::bigint, newness)
order by application_urn asc, external_job_posting_id asc, newness desc
