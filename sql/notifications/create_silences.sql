-- Which sources of LinkedIn's have gone silent as of this moment: challenges ('') for 5 hours, or the notifications of an
-- application that got one every day for a week, for 48 hours in which its tasks settled, or all of them ('') because LinkedIn
-- has blocked the webhook? One row per application and, for '', cause; of an inbox that could not be read only the last one.
create or replace temp table silences as
with run as (
    select
        $as_of::timestamptz as as_of,
        $is_inbox_seen::boolean as is_inbox_seen
),

challenges as (
    select max(webhook_challenges.challenged_at) as last_received_at
    from webhook_challenges
    cross join run
    where webhook_challenges.challenged_at <= run.as_of
),

deliveries as (
    select
        notification_deliveries.application_urn,
        notification_deliveries.received_at
    from notification_deliveries
    cross join run
    where notification_deliveries.received_at <= run.as_of
),

notified as (
    select
        application_urn,
        max(received_at) as last_received_at
    from deliveries
    group by application_urn
),

quiet as (
    select notified.*
    from notified
    cross join run
    where notified.last_received_at <= run.as_of - interval 48 hours
),

-- The seven days that end with the last notification, each with one at least.
regular as (
    select
        quiet.application_urn,
        quiet.last_received_at
    from quiet
    inner join deliveries using (application_urn)
    where deliveries.received_at > quiet.last_received_at - interval 7 days
    group by quiet.application_urn, quiet.last_received_at
    having count(distinct floor(epoch(quiet.last_received_at - deliveries.received_at) / 86400)) = 7
),

settled as (
    select
        job_tasks.application_urn,
        max(job_tasks.status_changed_at) as last_settled_at
    from job_tasks
    cross join run
    where
        job_tasks.state = 'SETTLED'
        and job_tasks.status_changed_at <= run.as_of
    group by job_tasks.application_urn
),

silent as (
    select
        '' as application_urn,
        challenges.last_received_at,
        false as is_blocked
    from challenges
    cross join run
    where challenges.last_received_at <= run.as_of - interval 5 hours
    union all
    select
        regular.application_urn,
        regular.last_received_at,
        false as is_blocked
    from regular
    inner join settled using (application_urn)
    where settled.last_settled_at > regular.last_received_at
)

select silent.*
from silent
cross join run
where run.is_inbox_seen
union all
select
    '' as application_urn,
    value::timestamptz as last_received_at,
    true as is_blocked
from warehouse_info
where name = 'webhook_blocked_since' and value != ''
