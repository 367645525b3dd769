-- What should each job be on LinkedIn, and what does LinkedIn say it is, at this moment? Brings one slice of job_postings up to
-- it: however many jobs there are, no more of them are in memory at once. Rows that say the same stay untouched.
merge into job_postings
using (
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
) as current
    on
        job_postings.application_urn = current.application_urn
        and job_postings.external_job_posting_id = current.external_job_posting_id
when
matched
and (
    job_postings.title is distinct from current.title
    or job_postings.customer is distinct from current.customer
    or job_postings.account_manager is distinct from current.account_manager
    or job_postings.last_operation is distinct from current.last_operation
    or job_postings.last_operation_at is distinct from current.last_operation_at
    or job_postings.last_task_urn is distinct from current.last_task_urn
    or job_postings.last_task_status is distinct from current.last_task_status
    or job_postings.expected_listing is distinct from current.expected_listing
    or job_postings.expected_since is distinct from current.expected_since
    or job_postings.listing_status is distinct from current.listing_status
    or job_postings.listing_message is distinct from current.listing_message
    or job_postings.listing_as_of is distinct from current.listing_as_of
    or job_postings.apply_status is distinct from current.apply_status
    or job_postings.promotion_status is distinct from current.promotion_status
    or job_postings.job_posting_urn is distinct from current.job_posting_urn
    or job_postings.job_posting_url is distinct from current.job_posting_url
)
then
    update
        set
            title = current.title,
            customer = current.customer,
            account_manager = current.account_manager,
            last_operation = current.last_operation,
            last_operation_at = current.last_operation_at,
            last_task_urn = current.last_task_urn,
            last_task_status = current.last_task_status,
            expected_listing = current.expected_listing,
            expected_since = current.expected_since,
            listing_status = current.listing_status,
            listing_message = current.listing_message,
            listing_as_of = current.listing_as_of,
            apply_status = current.apply_status,
            promotion_status = current.promotion_status,
            job_posting_urn = current.job_posting_urn,
            job_posting_url = current.job_posting_url
when not matched then insert (
    application_urn,
    external_job_posting_id,
    title,
    customer,
    account_manager,
    last_operation,
    last_operation_at,
    last_task_urn,
    last_task_status,
    expected_listing,
    expected_since,
    listing_status,
    listing_message,
    listing_as_of,
    apply_status,
    promotion_status,
    job_posting_urn,
    job_posting_url
) values (
    current.application_urn,
    current.external_job_posting_id,
    current.title,
    current.customer,
    current.account_manager,
    current.last_operation,
    current.last_operation_at,
    current.last_task_urn,
    current.last_task_status,
    current.expected_listing,
    current.expected_since,
    current.listing_status,
    current.listing_message,
    current.listing_as_of,
    current.apply_status,
    current.promotion_status,
    current.job_posting_urn,
    current.job_posting_url
)
