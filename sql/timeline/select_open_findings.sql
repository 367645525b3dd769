-- What is wrong with a job now? One row per open finding.
select
    application_urn,
    finding_id,
    kind,
    facet,
    severity,
    location,
    code,
    reason,
    message,
    owner,
    next_action,
    remedy,
    is_live,
    evidence,
    since
from findings
where
    external_job_posting_id = $job::varchar
    and ($application_urn::varchar is null or application_urn = $application_urn::varchar)
    and resolved_at is null
order by
    severity_rank(severity),
    since,
    finding_id
