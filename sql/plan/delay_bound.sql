-- What is the least mean delay that any order of looking could give one application now? One row: the sums of
-- D* = (sum of sqrt(w * h))^2 / (2 * R * sum of w * h) over its pending tasks, for R looks a second.
with pending as (
    select
        operation,
        (epoch_us($as_of::timestamptz) - epoch_us(requested_at)) / 1000000 as age_seconds
    from job_tasks
    where
        state = 'PENDING'
        and application_urn = $application_urn::varchar
        and requested_at <= $as_of::timestamptz - to_microseconds(($first_check_after::double * 1000000)::bigint)
        and (last_polled_at is null or last_polled_at < $as_of::timestamptz)
        and ($job::varchar is null or external_job_posting_id = $job::varchar)
),

rated as (
    select coalesce(weights.weight, 1) * hazards.hazard_per_second as rate
    from pending
    inner join staged_hazards as hazards
        on
            hazards.bin = greatest(
                0,
                least(
                    $last_bin::integer,
                    floor(
                        (ln(greatest(pending.age_seconds, 1) / $youngest_seconds::double) / $cell_log::double + 1)
                        / $cells_per_bin::integer
                    )
                )
            )::integer
    left join staged_weights as weights on pending.operation = weights.operation
)

select
    count(*) as candidates,
    coalesce(sum(sqrt(rate)), 0) as root_sum,
    coalesce(sum(rate), 0) as rate_sum
from rated
