-- A run that still counts as running while this process holds the writer's lock was killed.
update runs
set
    state = 'FAILED',
    finished_at = $now::timestamptz,
    incomplete_reasons = 'the run was killed before it ended; the next one did its work again'
where state = 'RUNNING'
