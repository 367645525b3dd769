-- What should each examined job be on LinkedIn, and what does LinkedIn say it is, as of a moment? One row per job: what its row
-- in job_postings is to say. Runs after create_examined_tasks, create_latest_facets and create_latest_expiries.
create or replace temp table current_postings as
with tasks as not materialized (
    select
        *,
        -- A renewal of a job that is expected listed already changes nothing.
        operation = 'RENEW' and state = 'SETTLED' and status = 'SUCCEEDED' as is_renewal,
        -- What it makes of the job if it is the last that settled: 2 listed, 1 unknown, 0 not listed.
        case
            when state = 'SETTLED' and status = 'PROCESSED' and operation in ('CREATE', 'UPDATE', 'RENEW', 'CLOSE') then 1
            when state = 'SETTLED' and status = 'SUCCEEDED' and operation in ('CREATE', 'UPDATE', 'RENEW') then 2
            when state = 'SETTLED' and status = 'SUCCEEDED' and operation = 'CLOSE' then 0
        end as decision
    from examined_tasks
),

-- Jobs with several tasks. Of any other its one task is the last and decides: many jobs have no more, and to look for the last
-- among one takes half as much time again and twice the memory.
repeated as (
    select
        application_urn,
        external_job_posting_id
    from tasks
    group by application_urn, external_job_posting_id
    having count(*) > 1
),

several as not materialized (
    select
        *,
        -- Later is greater: the order of requests, as one value that aggregates compare quickly.
        create_sort_key(requested_at, 'asc nulls last', task_urn, 'asc nulls last') as sequence
    from tasks
    semi join repeated using (application_urn, external_job_posting_id)
),

-- The task that decided last at each place, renewals apart, and the renewals.
settled as (
    select
        application_urn,
        external_job_posting_id,
        arg_max(decision, sequence) filter (where not is_renewal) as decision,
        arg_max(requested_at, sequence) filter (where not is_renewal) as since,
        max(sequence) filter (where not is_renewal) as sequence,
        list(struct_pack(sequence, requested_at)) filter (where is_renewal) as renewals
    from several
    where decision is not null
    group by application_urn, external_job_posting_id, coalesce(location, '')
),

renewed as (
    select
        *,
        case
            when coalesce(decision, 0) != 2 and renewals is not null
                then list_min(list_filter(renewals, lambda renewal: sequence is null or renewal.sequence > sequence))
        end as first_renewal
    from settled
),

deciding as (
    select
        application_urn,
        external_job_posting_id,
        case when first_renewal is null then decision else 2 end as decision,
        coalesce(first_renewal.requested_at, since) as since
    from renewed
),

-- The latest moment of each, over several places.
expected as (
    select
        application_urn,
        external_job_posting_id,
        max(since) filter (where decision = 2) as listed_since,
        max(since) filter (where decision = 1) as unknown_since,
        max(since) filter (where decision = 0) as unlisted_since
    from deciding
    group by application_urn, external_job_posting_id
),

latest as (
    select
        application_urn,
        external_job_posting_id,
        arg_max(title, sequence) as title,
        arg_max(job_posting_urn, sequence) as job_posting_urn,
        arg_max(struct_pack(operation, requested_at, task_urn, status), sequence) as task
    from several
    group by application_urn, external_job_posting_id
),

requested as (
    select
        application_urn,
        external_job_posting_id,
        latest.title,
        latest.job_posting_urn,
        latest.task.operation,
        latest.task.requested_at,
        latest.task.task_urn,
        latest.task.status,
        expected.listed_since,
        expected.unknown_since,
        expected.unlisted_since
    from latest
    left join expected using (application_urn, external_job_posting_id)
    union all
    select
        application_urn,
        external_job_posting_id,
        title,
        job_posting_urn,
        operation,
        requested_at,
        task_urn,
        status,
        case when decision = 2 then requested_at end as listed_since,
        case when decision = 1 then requested_at end as unknown_since,
        case when decision = 0 then requested_at end as unlisted_since
    from tasks
    anti join repeated using (application_urn, external_job_posting_id)
),

said as (
    select
        application_urn,
        external_job_posting_id,
        arg_max(job_posting_url, sequence) as job_posting_url
    from statements
    group by application_urn, external_job_posting_id
),

checked as (
    select
        application_urn,
        external_job_posting_id,
        least(max(last_checked_at), $as_of::timestamptz) as last_checked_at
    from posting_checks
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where checked_at <= $as_of::timestamptz
    group by application_urn, external_job_posting_id
),

facets as (
    select
        application_urn,
        external_job_posting_id,
        any_value(status) filter (where facet = 'LISTING') as listing_status,
        any_value(message) filter (where facet = 'LISTING') as listing_message,
        any_value(made_at) filter (where facet = 'LISTING') as listing_as_of,
        any_value(status) filter (where facet = 'APPLY') as apply_status,
        any_value(status) filter (where facet = 'PROMOTION') as promotion_status
    from latest_facets
    group by application_urn, external_job_posting_id
)

select
    application_urn,
    external_job_posting_id,
    requested.title,
    customers.customer,
    customers.account_manager,
    requested.operation as last_operation,
    requested.requested_at as last_operation_at,
    requested.task_urn as last_task_urn,
    requested.status as last_task_status,
    -- LISTED beats UNKNOWN beats NOT_LISTED.
    case
        when requested.listed_since is not null then 'LISTED'
        when requested.unknown_since is not null then 'UNKNOWN'
        else 'NOT_LISTED'
    end as expected_listing,
    coalesce(requested.listed_since, requested.unknown_since, requested.unlisted_since) as expected_since,
    facets.listing_status,
    facets.listing_message,
    facets.listing_as_of,
    facets.apply_status,
    facets.promotion_status,
    latest_expiries.expire_at,
    checked.last_checked_at,
    requested.job_posting_urn,
    coalesce(
        said.job_posting_url,
        'https://www.linkedin.com/jobs/view/'
        || nullif(regexp_extract(requested.job_posting_urn, '^urn:li:jobPosting:(\d+)$', 1), '')
    ) as job_posting_url
from requested
full join said using (application_urn, external_job_posting_id)
left join customers using (application_urn)
left join facets using (application_urn, external_job_posting_id)
left join latest_expiries using (application_urn, external_job_posting_id)
left join checked using (application_urn, external_job_posting_id)
