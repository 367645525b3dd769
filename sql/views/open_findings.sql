-- What is wrong now, with the job it is about. One row per open finding; the age is counted to the last run.
with last_run as (
    select max(as_of) as as_of
    from runs
)

select
    findings.finding_id,
    findings.kind,
    findings.facet,
    findings.severity,
    findings.owner,
    findings.customer,
    findings.account_manager,
    findings.application_urn,
    findings.external_job_posting_id,
    job_postings.title,
    findings.location,
    findings.code,
    findings.reason,
    findings.next_action,
    findings.message,
    findings.since,
    findings.opened_at,
    (epoch_us(last_run.as_of) - epoch_us(findings.since)) / 3600000000 as age_hours,
    job_postings.job_posting_url
from findings
cross join last_run
left join job_postings using (application_urn, external_job_posting_id)
where findings.resolved_at is null
