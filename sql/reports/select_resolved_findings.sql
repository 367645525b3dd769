-- What ended in the day, and how? One row per episode, the latest first. `later_status`: the newest request for the same
-- job and place at the end of the day, because sending a job again does not solve the issue by itself.
with episodes as (
    select
        *,
        opened_at >= $day_start::timestamptz as is_new
    from findings
    where
        resolved_at >= $day_start::timestamptz
        and resolved_at < $day_end::timestamptz
),

postings as (
    select
        application_urn,
        external_job_posting_id,
        title,
        job_posting_url
    from job_postings
),

tasks as (
    select job_tasks.*
    from job_tasks
    semi join episodes
        on
            job_tasks.application_urn = episodes.application_urn
            and job_tasks.external_job_posting_id = episodes.external_job_posting_id
),

operations as (
    select distinct
        task_urn,
        operation
    from tasks
),

requested as (
    select
        *,
        coalesce(location, '') as place,
        case when status_changed_at < $day_end::timestamptz then status end as day_status
    from tasks
    where requested_at < $day_end::timestamptz
),

later_tasks as (
    select
        application_urn,
        external_job_posting_id,
        place,
        arg_max(coalesce(day_status, 'IN_PROGRESS'), (requested_at, task_urn)) as later_status
    from requested
    group by all
)

select
    episodes.finding_id,
    episodes.kind,
    episodes.facet,
    episodes.severity,
    episodes.application_urn,
    episodes.external_job_posting_id,
    episodes.location,
    episodes.task_urn,
    operations.operation,
    postings.title,
    postings.job_posting_url,
    episodes.customer,
    episodes.account_manager,
    episodes.code,
    episodes.reason,
    episodes.message,
    episodes.owner,
    episodes.next_action,
    episodes.remedy,
    episodes.is_live,
    episodes.evidence,
    episodes.since,
    null::timestamptz as expires_at,
    episodes.opened_at,
    episodes.is_new,
    episodes.resolved_at,
    episodes.resolution,
    case when episodes.facet = 'TASK' then later_tasks.later_status end as later_status
from episodes
left join postings
    on
        episodes.application_urn = postings.application_urn
        and episodes.external_job_posting_id = postings.external_job_posting_id
left join operations on episodes.task_urn = operations.task_urn
left join later_tasks
    on
        episodes.application_urn = later_tasks.application_urn
        and episodes.external_job_posting_id = later_tasks.external_job_posting_id
        and coalesce(episodes.location, '') = later_tasks.place
order by episodes.resolved_at desc, episodes.finding_id asc
