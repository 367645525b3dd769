-- Latest tasks that failed; where an update or renewal failed because the CREATE before it did, that CREATE. A failed CREATE or
-- CLOSE weighs more: the job is not as it should be. One row per job and place.
with latest as (
    select
        *,
        coalesce(location, '') as place
    from latest_tasks
    where state = 'SETTLED' and status = 'FAILED'
),

history as (
    select
        tasks.*,
        latest.place,
        create_sort_key(tasks.requested_at, 'asc nulls last', tasks.task_urn, 'asc nulls last') as sequence
    from examined_tasks as tasks
    inner join latest
        on
            tasks.application_urn = latest.application_urn
            and tasks.external_job_posting_id = latest.external_job_posting_id
            and coalesce(tasks.location, '') = latest.place
    where latest.operation in ('UPDATE', 'RENEW')
),

creates as (
    select
        application_urn,
        external_job_posting_id,
        place,
        arg_max(struct_pack(task_urn, operation, state, status, error_message, status_changed_at), sequence)
        filter (where operation = 'CREATE') as task,
        max(sequence) filter (where operation = 'CREATE') as created_at_sequence,
        max(sequence) filter (where state = 'SETTLED' and status in ('SUCCEEDED', 'PROCESSED')) as done_at_sequence
    from history
    group by application_urn, external_job_posting_id, place
),

causes as (
    select *
    from creates
    where
        task.state = 'SETTLED'
        and task.status = 'FAILED'
        and coalesce(done_at_sequence < created_at_sequence, true)
),

failed as (
    select
        latest.application_urn,
        latest.external_job_posting_id,
        latest.location,
        coalesce(causes.task.task_urn, latest.task_urn) as task_urn,
        coalesce(causes.task.operation, latest.operation) as operation,
        case when causes.task is null then latest.error_message else causes.task.error_message end as message,
        coalesce(causes.task.status_changed_at, latest.status_changed_at) as since,
        listings.status as listing_status
    from latest
    left join causes using (application_urn, external_job_posting_id, place)
    left join latest_listings as listings using (application_urn, external_job_posting_id)
)

select
    'FAILED' as kind,
    'TASK' as facet,
    case
        when failed.operation = 'CREATE' and failed.listing_status = 'LISTED' and contains(matched.about, 'duplicate') then 'LOW'
        when failed.operation in ('CREATE', 'CLOSE') then 'HIGH'
    end as severity,
    failed.application_urn,
    failed.external_job_posting_id,
    failed.location,
    failed.task_urn,
    failed.operation,
    'task' as source,
    failed.message,
    case
        when failed.operation not in ('UPDATE', 'RENEW') then null
        when failed.listing_status = 'LISTED' then 'The job is still live with its earlier content.'
        when failed.listing_status = 'NOT_LISTED' then 'The job is not live.'
        else 'Whether the job is live with its earlier content is not known.'
    end as addition,
    failed.since
from failed
left join matched_messages as matched
    on
        matched.source = 'task'
        and matched.error_code is null
        and failed.message is not distinct from matched.message
