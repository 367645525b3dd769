-- What changed on LinkedIn in a day, and what explains it? One row per change of a job's facet, the latest first.
-- `is_requested`: the newest request before it closes the job; `is_run_out`: the job's time had run out.
with changes as (
    select *
    from posting_changes
    where
        changed_at >= $day_start::timestamptz
        and changed_at < $day_end::timestamptz
        and (from_status, to_status) in (
            ('LISTED', 'NOT_LISTED'),
            ('NOT_LISTED', 'LISTED'),
            ('ENABLED', 'NOT_ENABLED'),
            ('NOT_ENABLED', 'ENABLED'),
            ('PROMOTED', 'NOT_PROMOTED'),
            ('NOT_PROMOTED', 'PROMOTED')
        )
),

postings as (
    select * from job_postings
),

requests as (
    select
        changes.application_urn,
        changes.external_job_posting_id,
        changes.changed_at,
        arg_max(tasks.operation, (tasks.requested_at, tasks.task_urn)) as last_operation
    from changes
    inner join job_tasks as tasks
        on
            changes.application_urn = tasks.application_urn
            and changes.external_job_posting_id = tasks.external_job_posting_id
            and changes.changed_at > tasks.requested_at
    where changes.facet = 'LISTING'
    group by all
)

select
    changes.application_urn,
    changes.external_job_posting_id,
    changes.facet,
    changes.from_status,
    changes.to_status,
    changes.message,
    changes.changed_at,
    changes.source,
    postings.title,
    postings.customer,
    postings.account_manager,
    postings.job_posting_url,
    coalesce(requests.last_operation = 'CLOSE', false) as is_requested,
    coalesce(postings.expire_at <= changes.changed_at, false) as is_run_out
from changes
left join postings using (application_urn, external_job_posting_id)
left join requests
    on
        changes.application_urn = requests.application_urn
        and changes.external_job_posting_id = requests.external_job_posting_id
        and changes.changed_at = requests.changed_at
order by
    changes.changed_at desc,
    changes.application_urn asc,
    changes.external_job_posting_id asc,
    changes.facet asc,
    changes.to_status asc
