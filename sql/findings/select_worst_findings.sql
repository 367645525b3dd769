-- The most severe open findings, the oldest first. One row per finding.
select
    findings.severity,
    findings.kind,
    findings.customer,
    findings.external_job_posting_id as job,
    findings.reason,
    findings.owner,
    findings.next_action,
    findings.since
from findings
where findings.resolved_at is null
order by
    severity_rank(findings.severity),
    findings.since,
    findings.finding_id
limit $row_limit::bigint
