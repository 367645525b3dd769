-- Which pending tasks are due for a look, those first where a call shortens the expected delay most? One row per task.
-- Delay is least when each task is checked at a rate proportional to the square root of its chance of settling now, h(age);
-- taking the highest h(age) * (as_of - last look)^2 at each tick does that. h is 1 / (age + 60 s) until it is learned.
-- Two floors go before: a last look on the last day of its life, and every task once in 24 hours.
with pending as (
    select
        task_urn,
        requested_at,
        epoch($as_of::timestamptz - requested_at) as age_seconds,
        epoch($as_of::timestamptz - coalesce(last_polled_at, requested_at)) as unseen_seconds,
        last_polled_at
    from job_tasks
    where
        state = 'PENDING'
        and application_urn = $application_urn::varchar
        and requested_at + to_seconds($first_check_after::double) <= $as_of::timestamptz
        and (last_polled_at is null or last_polled_at < $as_of::timestamptz)
)

select task_urn
from pending
order by
    (age_seconds >= $lifespan_seconds::double - 86400 and unseen_seconds >= age_seconds - $lifespan_seconds::double + 86400)
    desc,
    (unseen_seconds >= 86400) desc,
    unseen_seconds * unseen_seconds / (age_seconds + 60) desc,
    task_urn asc
