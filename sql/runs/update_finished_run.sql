-- A run ends: what it did, and how many pending tasks nobody has looked at for 24 hours.
update runs
set
    state = $state::varchar,
    finished_at = $finished_at::timestamptz,
    tasks_pending = $tasks_pending::bigint,
    tasks_due = $tasks_due::bigint,
    tasks_polled = $tasks_polled::bigint,
    tasks_settled = $tasks_settled::bigint,
    tasks_left = $tasks_left::bigint,
    tasks_overlooked = (
        select count(*)
        from job_tasks
        where
            job_tasks.state = 'PENDING'
            and coalesce(job_tasks.last_polled_at, job_tasks.requested_at) <= $as_of::timestamptz - interval 24 hours
    ),
    calls_used = $calls_used::bigint,
    calls_left = $calls_left::bigint,
    detection_delay_mean_seconds = $detection_delay_mean_seconds::double,
    detection_delay_p95_seconds = $detection_delay_p95_seconds::double,
    delay_bound_seconds = $delay_bound_seconds::double,
    notifications_merged = $notifications_merged::bigint,
    findings_opened = $findings_opened::bigint,
    findings_resolved = $findings_resolved::bigint,
    findings_open = $findings_open::bigint,
    pulled_at = $pulled_at::timestamptz,
    incomplete_reasons = $incomplete_reasons::varchar
where run_id = $run_id::varchar
