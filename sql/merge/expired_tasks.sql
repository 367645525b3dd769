-- A pending task that has outlived its life at LinkedIn expires: nothing can be learned any more.
update job_tasks
set state = 'EXPIRED'
where
    state = 'PENDING'
    and requested_at + to_microseconds(($lifespan_seconds::double * 1000000)::bigint) <= $as_of::timestamptz
