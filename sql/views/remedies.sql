-- What the partner's system can send to mend what is wrong: one row per job and remedy. `not_before` is a day after the job's
-- last request where that came after the finding began: to post again sooner does not speed LinkedIn up. Where `owner` is
-- CUSTOMER, the content has to be mended first. `finding_id` is null while a resync request is not overdue yet.
with tasks as (
    select
        application_urn,
        external_job_posting_id,
        max(requested_at) as last_requested_at,
        max(requested_at) filter (where operation in ('UPDATE', 'CLOSE')) as last_synced_at,
        min(requested_at) as first_requested_at
    from job_tasks
    group by application_urn, external_job_posting_id
),

resyncs as (
    select
        requests.application_urn,
        tasks.external_job_posting_id,
        'UPDATE' as remedy,
        findings.finding_id,
        requests.requested_at as since,
        'PARTNER' as owner,
        'HIGH' as severity
    from resync_requests as requests
    inner join tasks
        on
            requests.application_urn = tasks.application_urn
            and requests.external_job_posting_id in ('', tasks.external_job_posting_id)
            and coalesce(requests.requested_at > tasks.last_synced_at, true)
    left join job_postings as postings
        on
            tasks.application_urn = postings.application_urn
            and tasks.external_job_posting_id = postings.external_job_posting_id
    left join findings
        on
            findings.kind = 'RESYNC_DUE'
            and findings.resolved_at is null
            and requests.application_urn = findings.application_urn
            and requests.external_job_posting_id = findings.external_job_posting_id
    left join customers on requests.application_urn = customers.application_urn
    where
        not coalesce(customers.retired, false)
        and (
            requests.external_job_posting_id != ''
            or (postings.expected_listing = 'LISTED' and tasks.first_requested_at <= requests.requested_at)
        )
),

wanted as (
    select
        application_urn,
        external_job_posting_id,
        location,
        remedy,
        finding_id,
        since,
        owner,
        severity
    from findings
    where
        resolved_at is null
        and kind != 'RESYNC_DUE'
        and external_job_posting_id != ''
        and remedy in ('CREATE', 'UPDATE', 'RENEW', 'CLOSE')
    union all by name
    select * from resyncs
)

select
    wanted.application_urn,
    wanted.external_job_posting_id,
    wanted.location,
    wanted.remedy,
    case
        when tasks.last_requested_at > wanted.since then tasks.last_requested_at + interval 24 hours
        else wanted.since
    end as not_before,
    wanted.finding_id,
    wanted.since,
    wanted.owner
from wanted
left join tasks
    on
        wanted.application_urn = tasks.application_urn
        and wanted.external_job_posting_id = tasks.external_job_posting_id
qualify
    row_number() over (
        partition by wanted.application_urn, wanted.external_job_posting_id, wanted.remedy
        order by list_position(['HIGH', 'MEDIUM', 'LOW'], wanted.severity), wanted.since, wanted.finding_id
    ) = 1
