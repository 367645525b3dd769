-- Episodes that are still true: update them to what is true of them now. `since` stays while an episode lasts.
update findings
set
    last_seen_at = $as_of::timestamptz,
    severity = current_ones.severity,
    task_urn = current_ones.task_urn,
    customer = current_ones.customer,
    account_manager = current_ones.account_manager,
    code = current_ones.code,
    reason = current_ones.reason,
    message = current_ones.message,
    owner = current_ones.owner,
    next_action = current_ones.next_action,
    remedy = current_ones.remedy,
    evidence = current_ones.evidence,
    is_live = current_ones.is_live
from explained_findings as current_ones
where findings.finding_key = current_ones.finding_key and findings.resolved_at is null
