-- Derive the resync requests of the applications of the delivered jobs: one row per request and job it names, '' for all open
-- jobs. An equal body within half an hour of the one before is a redelivery; a later one is a new request.
insert into resync_requests by name
with deliveries as (
    select
        delivery_id,
        application_urn,
        external_job_posting_id,
        received_at,
        arrival,
        body_hash,
        -- Large payloads are stored with the first delivery of a content only.
        any_value(payload) over (partition by application_urn, external_job_posting_id, body_hash) as payload
    from notification_deliveries
    where
        type = 'RESYNC_JOBS'
        and application_urn in (select delivered_jobs.application_urn from delivered_jobs)
),

compared as (
    select
        *,
        coalesce(received_at - lag(received_at) over in_order > interval 30 minutes, true) as is_asked_anew
    from deliveries
    window in_order as (partition by application_urn, body_hash order by received_at, arrival, delivery_id)
),

numbered as (
    select
        *,
        count(*) filter (where is_asked_anew) over (
            partition by application_urn, body_hash
            order by received_at, arrival, delivery_id
            rows unbounded preceding
        ) as episode
    from compared
),

requests as (
    select
        *,
        count(*) over (partition by application_urn, body_hash, episode) as deliveries,
        list_filter(
            list_append(json_extract_string(payload, '$.externalJobPostingIds[*]'), external_job_posting_id),
            lambda job: coalesce(job, '') != ''
        ) as jobs,
        payload ->> '$.syncAllOpenJobs' as sync_all
    from numbered
    qualify is_asked_anew
),

named as (
    select
        *,
        -- A request that neither names a job nor says which ones is about all of them.
        case
            when lower(sync_all) = 'true' or (sync_all is null and len(jobs) = 0) then ['']
            else list_distinct(jobs)
        end as wanted
    from requests
)

select
    delivery_id,
    application_urn,
    received_at as requested_at,
    received_at + interval 30 minutes as due_at,
    deliveries,
    unnest(wanted) as external_job_posting_id
from named
