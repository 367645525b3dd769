-- A pending task that has outlived its life at LinkedIn expires: nothing can be learned any more.
update job_tasks
set
    state = 'EXPIRED',
    status_changed_at = $as_of::timestamptz
where
    state = 'PENDING'
    and requested_at <= $as_of::timestamptz - to_microseconds(($lifespan_seconds::double * 1000000)::bigint)
