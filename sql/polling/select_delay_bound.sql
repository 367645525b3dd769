-- How many tasks of one application are due, and how good can any order of polling be? One row: the number of due tasks; the sums
-- in the lower bound of the mean delay, D* = (sum of sqrt(w * h))^2 / (2 * R * sum of w * h) for R polls a second; and the least
-- urgency and score among the best `id_limit` tasks, so that select_due_tasks sorts few. Tasks are grouped by operation, age and
-- time since the last poll instead of being scored one by one. Notifications are not joined: they only raise the urgency.
with pending as (
    select
        operation,
        (epoch_us($as_of::timestamptz) - epoch_us(requested_at)) / 1000000 as age_seconds,
        (epoch_us($as_of::timestamptz) - epoch_us(coalesce(last_polled_at, requested_at))) / 1000000 as unpolled_seconds
    from job_tasks
    where
        state = 'PENDING'
        and application_urn = $application_urn::varchar
        and requested_at <= $as_of::timestamptz - to_microseconds(($first_check_after::double * 1000000)::bigint)
        and (last_polled_at is null or last_polled_at < $as_of::timestamptz)
        and ($job::varchar is null or external_job_posting_id = $job::varchar)
),

grouped as (
    select
        operation,
        greatest(
            0,
            least(
                $last_bin::integer,
                floor(
                    (ln(greatest(age_seconds, 1) / $youngest_seconds::double) / $cell_log::double + 1)
                    / $cells_per_bin::integer
                )
            )
        )::integer as bin,
        -- An eighth of e: scores differ by a quarter of e at most within a group.
        floor(8 * ln(unpolled_seconds + 1))::integer as step,
        case
            when
                age_seconds >= $lifespan_seconds::double - 86400
                and unpolled_seconds > age_seconds - ($lifespan_seconds::double - 86400)
                then 3
            when unpolled_seconds >= 86400 then 1
            else 0
        end as urgency,
        count(*) as task_count
    from pending
    group by all
),

rated as (
    select
        grouped.urgency,
        grouped.task_count,
        coalesce(weights.weight, 1) * hazards.hazard_per_second as rate,
        -- A little less than the lower end: what was rounded must not fall below it.
        pow(exp(grouped.step / 8) - 1, 2) * (1 - 1e-9) as least_square
    from grouped
    inner join staged_hazards as hazards on grouped.bin = hazards.bin
    left join staged_weights as weights on grouped.operation = weights.operation
),

ranked as (
    select
        urgency,
        task_count,
        rate,
        rate * least_square as score,
        coalesce(
            sum(task_count) over (
                order by urgency desc, rate * least_square desc
                rows between unbounded preceding and 1 preceding
            ), 0
        ) as ahead_count
    from rated
)

select
    coalesce(sum(task_count), 0)::bigint as due_count,
    coalesce(sum(task_count * sqrt(rate)), 0) as root_sum,
    coalesce(sum(task_count * rate), 0) as rate_sum,
    min(urgency) filter (where ahead_count < $id_limit::bigint) as min_urgency,
    arg_min(score, (urgency, score)) filter (where ahead_count < $id_limit::bigint) as min_score
from ranked
