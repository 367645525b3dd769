-- A run begins: its row in `runs`, before anything is done.
insert into runs by name
select
    $run_id::varchar as run_id,
    $flow_run_id::varchar as flow_run_id,
    $as_of::timestamptz as as_of,
    $started_at::timestamptz as started_at,
    'RUNNING' as state,
    0 as tasks_pending,
    0 as tasks_due,
    0 as tasks_polled,
    0 as tasks_settled,
    0 as tasks_left,
    0 as calls_used,
    0 as calls_left,
    0 as notifications_merged,
    0 as findings_opened,
    0 as findings_resolved,
    0 as findings_open
