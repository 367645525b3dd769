-- How late did this run see tasks settled? One row: mean and 95th percentile in seconds. A task settled at an unknown time
-- between two polls, on average in the middle.
with delays as (
    select (epoch_us(status_changed_at) - epoch_us(coalesce(last_pending_at, requested_at))) / 2000000 as delay_seconds
    from job_tasks
    where state = 'SETTLED' and last_polled_at = $as_of::timestamptz and status_changed_at = $as_of::timestamptz
)

select
    avg(delay_seconds) as mean_seconds,
    quantile_cont(delay_seconds, 0.95) as p95_seconds
from delays
