-- What happened to some jobs until the end of the day, in order of time? One row per event; of a job with many the newest.
with jobs as (
    select distinct
        application_urn,
        external_job_posting_id
    from staged_jobs
),

tasks as (
    select job_tasks.*
    from job_tasks
    semi join jobs
        on
            job_tasks.application_urn = jobs.application_urn
            and job_tasks.external_job_posting_id = jobs.external_job_posting_id
    where job_tasks.requested_at < $day_end::timestamptz
),

told as (
    select notifications.*
    from notifications
    semi join jobs
        on
            notifications.application_urn = jobs.application_urn
            and notifications.external_job_posting_id = jobs.external_job_posting_id
    where notifications.received_at < $day_end::timestamptz
),

found as (
    select findings.*
    from findings
    semi join jobs
        on
            findings.application_urn = jobs.application_urn
            and findings.external_job_posting_id = jobs.external_job_posting_id
    where findings.opened_at < $day_end::timestamptz
),

events as (
    select
        application_urn,
        external_job_posting_id,
        requested_at as happened_at,
        'request' as event,
        operation as what,
        location as place,
        null as detail
    from tasks
    union all
    select
        tasks.application_urn,
        tasks.external_job_posting_id,
        changes.observed_at as happened_at,
        'answer' as event,
        changes.status as what,
        tasks.location as place,
        changes.error_message as detail
    from task_status_changes as changes
    inner join tasks on changes.task_urn = tasks.task_urn
    where changes.observed_at < $day_end::timestamptz
    union all
    select
        application_urn,
        external_job_posting_id,
        last_polled_at as happened_at,
        'look' as event,
        poll_count::varchar as what,
        location as place,
        null as detail
    from tasks
    where state != 'SETTLED' and last_polled_at < $day_end::timestamptz
    union all
    select
        application_urn,
        external_job_posting_id,
        received_at as happened_at,
        'notification' as event,
        concat_ws(' ', 'LISTING_' || listing_status, 'APPLY_' || apply_status, 'PROMOTION_' || promotion_status) as what,
        null as place,
        nullif(concat_ws(' ', listing_message, apply_message, promotion_message), '') as detail
    from told
    union all
    select
        application_urn,
        external_job_posting_id,
        opened_at as happened_at,
        'opened' as event,
        kind || ' ' || facet as what,
        location as place,
        reason as detail
    from found
    union all
    select
        application_urn,
        external_job_posting_id,
        resolved_at as happened_at,
        'resolved' as event,
        kind || ' ' || facet as what,
        location as place,
        resolution as detail
    from found
    where resolved_at < $day_end::timestamptz
),

ranked as (
    select
        *,
        row_number() over (partition by application_urn, external_job_posting_id order by happened_at desc, event desc) as newness
    from events
)

select
    application_urn,
    external_job_posting_id,
    happened_at,
    event,
    what,
    place,
    detail
from ranked
where newness <= $most_events::bigint
order by
    application_urn,
    external_job_posting_id,
    happened_at,
    case event when 'request' then 0 when 'answer' then 1 when 'look' then 2 when 'notification' then 3 else 4 end,
    what
