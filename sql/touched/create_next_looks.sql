-- When can the findings of each examined job first change although nothing new is written about it? One row per job that has such
-- a moment. Runs after create_explained_findings.
create or replace temp table next_looks as
with run as (
    select
        to_seconds($stuck_after::double) as stuck_after,
        to_seconds($unconfirmed_after::double) as unconfirmed_after,
        to_seconds($expiring_within::double) as expiring_within
),

-- What lies ahead becomes current.
tasks_ahead as (
    select
        job_tasks.application_urn,
        job_tasks.external_job_posting_id,
        job_tasks.requested_at as due_at
    from job_tasks
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where job_tasks.requested_at > $as_of::timestamptz
),

notifications_ahead as (
    select
        notifications.application_urn,
        notifications.external_job_posting_id,
        notifications.received_at,
        notifications.last_received_at
    from notifications
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where
        notifications.type = 'JOB_POSTING_STATUS'
        and (notifications.received_at > $as_of::timestamptz or notifications.last_received_at > $as_of::timestamptz)
),

deliveries_ahead as (
    select
        deliveries.application_urn,
        deliveries.external_job_posting_id,
        deliveries.received_at as due_at
    from notification_deliveries as deliveries
    semi join notifications_ahead using (application_urn, external_job_posting_id)
    where deliveries.received_at > $as_of::timestamptz
),

-- A check that was last made later counts as made at each moment until then.
checks_ahead as (
    select
        posting_checks.application_urn,
        posting_checks.external_job_posting_id,
        posting_checks.checked_at as due_at,
        posting_checks.checked_at <= $as_of::timestamptz as is_due_each_run
    from posting_checks
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where posting_checks.last_checked_at > $as_of::timestamptz
),

stuck as (
    select
        latest_tasks.application_urn,
        latest_tasks.external_job_posting_id,
        latest_tasks.requested_at + run.stuck_after as due_at
    from latest_tasks
    cross join run
    where latest_tasks.state = 'PENDING'
    union all
    select
        latest_facets.application_urn,
        latest_facets.external_job_posting_id,
        latest_facets.began_at + interval 24 hours as due_at
    from latest_facets
    where latest_facets.status = 'IN_PROGRESS'
),

unconfirmed as (
    select
        postings.application_urn,
        postings.external_job_posting_id,
        postings.expected_since + run.unconfirmed_after as due_at
    from current_postings as postings
    cross join run
    left join latest_listings as listings using (application_urn, external_job_posting_id)
    where
        postings.expected_listing = 'LISTED'
        and coalesce(listings.made_at < postings.expected_since, true)
),

expiring as (
    select
        latest_expiries.application_urn,
        latest_expiries.external_job_posting_id,
        unnest([latest_expiries.expire_at - run.expiring_within, latest_expiries.expire_at]) as due_at
    from latest_expiries
    cross join run
),

requested_again as (
    select
        resync_requests.application_urn,
        resync_requests.external_job_posting_id,
        resync_requests.due_at
    from resync_requests
    semi join examined_jobs using (application_urn, external_job_posting_id)
),

-- The ages at which a finding's words change.
ages as (
    select
        kind,
        facet,
        after_seconds
    from staged_kinds
    where after_seconds > 0
    union
    select
        staged_kinds.kind,
        staged_kinds.facet,
        error_catalog.after_days * 86400.0 as after_seconds
    from error_catalog
    cross join staged_kinds
    where error_catalog.after_days > 0
),

aged as (
    select
        explained.application_urn,
        explained.external_job_posting_id,
        -- Strictly older: create_explained_findings compares with >.
        coalesce(findings.since, explained.since) + to_seconds(ages.after_seconds) + interval 1 microsecond as due_at
    from explained_findings as explained
    inner join ages on explained.kind = ages.kind and explained.facet = ages.facet
    left join findings on explained.finding_key = findings.finding_key and findings.resolved_at is null
),

moments as (
    select * from tasks_ahead
    union all by name
    select
        application_urn,
        external_job_posting_id,
        unnest([received_at, last_received_at]) as due_at
    from notifications_ahead
    union all by name
    select * from deliveries_ahead
    union all by name
    select * from checks_ahead
    union all by name
    select * from stuck
    union all by name
    select * from unconfirmed
    union all by name
    select * from expiring
    union all by name
    select * from requested_again
    union all by name
    select * from aged
)

select
    application_urn,
    external_job_posting_id,
    min(due_at) as due_at
from moments
where
    (due_at > $as_of::timestamptz or is_due_each_run)
    and external_job_posting_id != ''
group by application_urn, external_job_posting_id
