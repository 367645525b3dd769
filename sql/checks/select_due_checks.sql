-- Which jobs of one application are checked in this run? One row per job, in this order: jobs with a finding that this run would
-- open otherwise and jobs whose latest task expired, unless checked since; jobs with such a finding open, once an hour; jobs that
-- should be listed, once in `check_every`, the longest unchecked first and at most `sweep_limit` of them. With `job`, only that.
-- Runs after insert_suspicious_jobs.
with run as (
    select $as_of::timestamptz as as_of
),

postings as (
    select
        job_postings.application_urn,
        job_postings.external_job_posting_id,
        job_postings.expected_listing,
        job_postings.expected_since,
        job_postings.last_checked_at,
        run.as_of
    from job_postings
    cross join run
    where
        job_postings.application_urn = $application_urn::varchar
        and ($job::varchar is null or job_postings.external_job_posting_id = $job::varchar)
        and coalesce(job_postings.last_checked_at < run.as_of, true)
),

open_ones as (
    select
        application_urn,
        external_job_posting_id
    from findings
    semi join checkable_kinds using (kind, facet)
    where resolved_at is null and application_urn = $application_urn::varchar
),

new_ones as (
    select
        application_urn,
        external_job_posting_id
    from suspicious_jobs
    where reason = 'NEW'
),

-- Of jobs that this run did not examine, the task is the latest still.
expired_before as (
    select
        findings.application_urn,
        findings.external_job_posting_id,
        job_tasks.requested_at + to_seconds($lifespan_seconds::double) as expired_at
    from findings
    inner join job_tasks using (task_urn)
    anti join suspicious_jobs
        on
            findings.application_urn = suspicious_jobs.application_urn
            and findings.external_job_posting_id = suspicious_jobs.external_job_posting_id
    where
        findings.kind = 'EXPIRED'
        and findings.resolved_at is null
        and findings.application_urn = $application_urn::varchar
),

expired_tasks as (
    select
        application_urn,
        external_job_posting_id,
        max(expired_at) as expired_at
    from (
        select
            application_urn,
            external_job_posting_id,
            expired_at
        from suspicious_jobs
        where reason = 'EXPIRED'
        union all
        select * from expired_before
    ) as expired
    group by application_urn, external_job_posting_id
),

reasons as (
    select
        postings.external_job_posting_id,
        1 as urgency,
        postings.last_checked_at as waits_since
    from postings
    semi join new_ones using (application_urn, external_job_posting_id)
    union all by name
    select
        postings.external_job_posting_id,
        1 as urgency,
        postings.last_checked_at as waits_since
    from postings
    inner join expired_tasks using (application_urn, external_job_posting_id)
    where coalesce(postings.last_checked_at < expired_tasks.expired_at, true)
    union all by name
    select
        postings.external_job_posting_id,
        2 as urgency,
        postings.last_checked_at as waits_since
    from postings
    semi join open_ones using (application_urn, external_job_posting_id)
    where coalesce(postings.last_checked_at <= postings.as_of - interval 1 hour, true)
    union all by name
    select
        postings.external_job_posting_id,
        3 as urgency,
        coalesce(postings.last_checked_at, postings.expected_since) as waits_since
    from postings
    where
        postings.expected_listing = 'LISTED'
        and coalesce(postings.last_checked_at, postings.expected_since) <= postings.as_of - to_seconds($check_every::double)
    union all by name
    select
        postings.external_job_posting_id,
        1 as urgency,
        postings.last_checked_at as waits_since
    from postings
    where $job::varchar is not null
),

ranked as (
    select
        external_job_posting_id,
        min(urgency) as urgency,
        arg_min(coalesce(waits_since, '-infinity'), urgency) as waits_since
    from reasons
    group by external_job_posting_id
)

select external_job_posting_id
from ranked
qualify
    urgency < 3
    or row_number() over (partition by urgency order by waits_since, external_job_posting_id) <= $sweep_limit::bigint
order by urgency, waits_since, external_job_posting_id
limit $id_limit::bigint
