-- What should each job be on LinkedIn, and what does LinkedIn say it is, at this moment? One row per job of one slice of all
-- jobs: however many there are, no more of them are in memory at once.
create or replace temp table current_postings as
with tasks as (
    select *
    from job_tasks
    where
        requested_at <= $as_of::timestamptz
        and hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
),

-- What the settled task that came last at each place decided: 2 listed, 1 unknown, 0 not listed.
deciding as (
    select
        application_urn,
        external_job_posting_id,
        arg_max(
            case when status = 'PROCESSED' then 1 when operation = 'CLOSE' then 0 else 2 end, (requested_at, task_urn)
        ) as decision,
        max(requested_at) as since
    from tasks
    where
        state = 'SETTLED'
        and operation in ('CREATE', 'UPDATE', 'RENEW', 'CLOSE')
        and status in ('SUCCEEDED', 'PROCESSED')
    group by application_urn, external_job_posting_id, coalesce(location, '')
),

-- Over several places LISTED beats UNKNOWN beats NOT_LISTED, with the latest moment among those that say so.
expected as (
    select
        application_urn,
        external_job_posting_id,
        max(struct_pack(decision := decision, since := since)) as decided
    from deciding
    group by application_urn, external_job_posting_id
),

requested as (
    select
        application_urn,
        external_job_posting_id,
        arg_max(title, (requested_at, task_urn)) as title,
        arg_max(job_posting_urn, (requested_at, task_urn)) as job_posting_urn
    from tasks
    group by application_urn, external_job_posting_id
),

latest as (
    select *
    from latest_tasks
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    qualify
        row_number() over (
            partition by application_urn, external_job_posting_id order by requested_at desc, task_urn desc
        ) = 1
),

told as (
    select
        application_urn,
        external_job_posting_id,
        arg_max(job_posting_url, (received_at, arrival)) as job_posting_url
    from notifications
    where
        external_job_posting_id is not null
        and type = 'JOB_POSTING_STATUS'
        and received_at <= $as_of::timestamptz
        and hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    group by application_urn, external_job_posting_id
),

jobs as (
    select
        application_urn,
        external_job_posting_id
    from requested
    union
    select
        application_urn,
        external_job_posting_id
    from told
)

select
    jobs.application_urn,
    jobs.external_job_posting_id,
    requested.title,
    customers.customer,
    customers.account_manager,
    latest.operation as last_operation,
    latest.requested_at as last_operation_at,
    latest.task_urn as last_task_urn,
    latest.status as last_task_status,
    case expected.decided.decision when 2 then 'LISTED' when 1 then 'UNKNOWN' else 'NOT_LISTED' end as expected_listing,
    expected.decided.since as expected_since,
    listing.status as listing_status,
    listing.message as listing_message,
    listing.received_at as listing_as_of,
    apply.status as apply_status,
    promotion.status as promotion_status,
    requested.job_posting_urn,
    coalesce(
        told.job_posting_url,
        'https://www.linkedin.com/jobs/view/'
        || nullif(regexp_extract(requested.job_posting_urn, '^urn:li:jobPosting:(\d+)$', 1), '')
    ) as job_posting_url
from jobs
left join requested using (application_urn, external_job_posting_id)
left join latest using (application_urn, external_job_posting_id)
left join expected using (application_urn, external_job_posting_id)
left join told using (application_urn, external_job_posting_id)
left join customers using (application_urn)
left join latest_facets as listing
    on
        jobs.application_urn = listing.application_urn
        and jobs.external_job_posting_id = listing.external_job_posting_id
        and listing.facet = 'LISTING'
left join latest_facets as apply
    on
        jobs.application_urn = apply.application_urn
        and jobs.external_job_posting_id = apply.external_job_posting_id
        and apply.facet = 'APPLY'
left join latest_facets as promotion
    on
        jobs.application_urn = promotion.application_urn
        and jobs.external_job_posting_id = promotion.external_job_posting_id
        and promotion.facet = 'PROMOTION'
