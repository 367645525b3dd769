-- Which sources of LinkedIn's have gone silent as of this moment: challenges ('') for 5 hours, or the notifications of an
-- application that got one every day for a week, for 48 hours in which its tasks settled? One row per application.
create or replace temp table silences as
with challenges as (
    select max(challenged_at) as last_received_at
    from webhook_challenges
    where challenged_at <= $as_of::timestamptz
),

deliveries as (
    select
        application_urn,
        received_at
    from notification_deliveries
    where received_at <= $as_of::timestamptz
),

notified as (
    select
        application_urn,
        max(received_at) as last_received_at
    from deliveries
    group by application_urn
),

quiet as (
    select *
    from notified
    where last_received_at <= $as_of::timestamptz - interval 48 hours
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
        application_urn,
        max(status_changed_at) as last_settled_at
    from job_tasks
    where
        state = 'SETTLED'
        and status_changed_at <= $as_of::timestamptz
    group by application_urn
)

select
    '' as application_urn,
    last_received_at
from challenges
where
    -- Of an inbox that could not be read nothing can be said.
    $is_inbox_seen::boolean
    and last_received_at <= $as_of::timestamptz - interval 5 hours
union all
select
    regular.application_urn,
    regular.last_received_at
from regular
inner join settled using (application_urn)
where
    $is_inbox_seen::boolean
    and settled.last_settled_at > regular.last_received_at
