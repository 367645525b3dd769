-- The open findings that weigh most, the oldest first. One row per finding.
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
    case findings.severity when 'HIGH' then 0 when 'MEDIUM' then 1 else 2 end,
    findings.since,
    findings.finding_id
limit $row_limit::bigint
