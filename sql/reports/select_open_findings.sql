-- What was open at the end of the day? One row per episode, the worst first. An episode resolved since then counts as open.
with episodes as (
    select
        * replace (
            -- A later run may have moved `since` past the day.
            case when since < $day_end::timestamptz then since else opened_at end as since
        ),
        opened_at >= $day_start::timestamptz as is_new,
        severity_rank(severity) as severity_rank
    from findings
    where
        opened_at < $day_end::timestamptz
        and (resolved_at is null or resolved_at >= $day_end::timestamptz)
),

postings as (
    select
        application_urn,
        external_job_posting_id,
        title,
        job_posting_url,
        expire_at
    from job_postings
),

operations as (
    select distinct
        job_tasks.task_urn,
        job_tasks.operation
    from job_tasks
    semi join episodes on job_tasks.task_urn = episodes.task_urn
)

select
    episodes.finding_id,
    episodes.kind,
    episodes.facet,
    episodes.severity,
    episodes.severity_rank,
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
    -- Of an episode that has ended since, the job's time may be another by now.
    case when episodes.kind = 'EXPIRING' and episodes.resolved_at is null then postings.expire_at end as expires_at,
    episodes.opened_at,
    episodes.is_new,
    null::timestamptz as resolved_at,
    null::varchar as resolution,
    null::varchar as later_status
from episodes
left join postings
    on
        episodes.application_urn = postings.application_urn
        and episodes.external_job_posting_id = postings.external_job_posting_id
left join operations on episodes.task_urn = operations.task_urn
order by episodes.severity_rank, episodes.since, episodes.finding_id
