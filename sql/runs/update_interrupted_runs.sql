-- A run that still counts as running while the writer's lock is ours was killed.
update runs
set
    state = 'FAILED',
    finished_at = $now::timestamptz,
    incomplete_reasons = 'the run was interrupted before it ended; the next one did its work again'
where state = 'RUNNING'
