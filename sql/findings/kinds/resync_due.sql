-- Jobs LinkedIn requested again and for which no UPDATE was requested within 30 minutes, nor since. One row per job;
-- the job is '' where LinkedIn requested all open jobs: whether one of them is due is a matter of all jobs of the application.
with requests as (
    select *
    from resync_requests
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where due_at <= $as_of::timestamptz
),

tasks as (
    select
        application_urn,
        external_job_posting_id,
        max(requested_at) filter (where operation = 'UPDATE') as last_updated_at,
        max(requested_at) filter (where operation = 'CLOSE') as last_closed_at
    from examined_tasks
    semi join requests using (application_urn, external_job_posting_id)
    group by application_urn, external_job_posting_id
),

requests_of_all as (
    select *
    from requests
    where external_job_posting_id = ''
),

tasks_of_all as (
    select
        application_urn,
        external_job_posting_id,
        min(requested_at) as first_requested_at,
        max(requested_at) filter (where operation = 'UPDATE') as last_updated_at
    from job_tasks
    semi join requests_of_all using (application_urn)
    where requested_at <= $as_of::timestamptz
    group by application_urn, external_job_posting_id
),

open_jobs as (
    select
        tasks_of_all.application_urn,
        tasks_of_all.first_requested_at,
        tasks_of_all.last_updated_at
    from tasks_of_all
    inner join job_postings as postings using (application_urn, external_job_posting_id)
    where postings.expected_listing = 'LISTED'
),

unfulfilled as (
    select
        requests.application_urn,
        requests.external_job_posting_id,
        requests.due_at
    from requests
    left join tasks using (application_urn, external_job_posting_id)
    where
        requests.external_job_posting_id != ''
        and coalesce(tasks.last_updated_at < requests.requested_at, true)
        -- Of a job that was closed since there is nothing to send again.
        and coalesce(tasks.last_closed_at < requests.requested_at, true)
    union all
    select
        requests.application_urn,
        requests.external_job_posting_id,
        requests.due_at
    from requests_of_all as requests
    inner join open_jobs using (application_urn)
    where
        open_jobs.first_requested_at <= requests.requested_at
        and coalesce(open_jobs.last_updated_at < requests.requested_at, true)
)

select
    'RESYNC_DUE' as kind,
    'LISTING' as facet,
    application_urn,
    external_job_posting_id,
    min(due_at) as since
from unfulfilled
group by application_urn, external_job_posting_id
