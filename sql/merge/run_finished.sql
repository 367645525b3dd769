-- A run ends: what it did.
update runs
set
    state = $state::varchar,
    finished_at = $finished_at::timestamptz,
    tasks_pending = $tasks_pending::bigint,
    tasks_due = $tasks_due::bigint,
    tasks_polled = $tasks_polled::bigint,
    tasks_settled = $tasks_settled::bigint,
    tasks_left = $tasks_left::bigint,
    calls_used = $calls_used::bigint,
    calls_left = $calls_left::bigint,
    notifications_merged = $notifications_merged::bigint,
    findings_opened = $findings_opened::bigint,
    findings_resolved = $findings_resolved::bigint,
    findings_open = $findings_open::bigint,
    pulled_at = $pulled_at::timestamptz,
    incomplete_reasons = $incomplete_reasons::varchar
where run_id = $run_id::varchar
