-- What was open at the end of the day, the worst first, and what ended in it, the latest first? One row per episode. One that was
-- resolved after the day counts as open. `later_status`: the newest request for the same job and place at the end of the day,
-- because sending a job again does not solve the issue by itself.
with episodes as (
    select
        * replace (
            -- A later run may have moved `since` past the day.
            case when since < $day_end::timestamptz or resolved_at < $day_end::timestamptz then since else opened_at end as since,
            case when resolved_at < $day_end::timestamptz then resolved_at end as resolved_at
        ),
        opened_at >= $day_start::timestamptz as is_new,
        resolved_at is null as is_unresolved
    from findings
    where opened_at < $day_end::timestamptz and coalesce(resolved_at >= $day_start::timestamptz, true)
),

operations as (
    select distinct
        job_tasks.task_urn,
        job_tasks.operation
    from job_tasks
    semi join episodes using (task_urn)
),

ended as (
    select
        application_urn,
        external_job_posting_id
    from episodes
    where resolved_at is not null and facet = 'TASK'
),

later_tasks as (
    select
        application_urn,
        external_job_posting_id,
        coalesce(location, '') as place,
        arg_max(
            coalesce(case when status_changed_at < $day_end::timestamptz then status end, 'IN_PROGRESS'), (requested_at, task_urn)
        ) as later_status
    from job_tasks
    semi join ended using (application_urn, external_job_posting_id)
    where requested_at < $day_end::timestamptz
    group by all
)

select
    episodes.* exclude (last_seen_at, finding_key, is_unresolved) replace (
        case when episodes.resolved_at is not null then episodes.resolution end as resolution
    ),
    severity_rank(episodes.severity) as severity_rank,
    operations.operation,
    postings.title,
    postings.job_posting_url,
    -- Of an episode that has ended since, the job's time may be another by now.
    case when episodes.kind = 'EXPIRING' and episodes.is_unresolved then postings.expire_at end as expires_at,
    case when episodes.resolved_at is not null and episodes.facet = 'TASK' then later_tasks.later_status end as later_status
from episodes
left join job_postings as postings using (application_urn, external_job_posting_id)
left join operations on episodes.task_urn = operations.task_urn
left join later_tasks
    on
        episodes.application_urn = later_tasks.application_urn
        and episodes.external_job_posting_id = later_tasks.external_job_posting_id
        and coalesce(episodes.location, '') = later_tasks.place
order by
    episodes.resolved_at desc nulls first,
    case when episodes.resolved_at is null then severity_rank(episodes.severity) end asc,
    case when episodes.resolved_at is null then episodes.since end asc,
    episodes.finding_id asc
