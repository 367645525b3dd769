-- Which pending tasks are polled in this tick? One row per task, in the order in which a call shortens the expected delay most.
-- The delay is least when each task is polled at a rate proportional to the square root of its weight times its hazard h(age);
-- taking the highest w * h(age) * (as_of - last poll)^2 at each tick does that.
-- Before the score goes the urgency: the last poll on the last day of a task's lifespan (3), jobs with a notification since the
-- last poll (2), every task once in 24 hours (1). Nothing is polled before its first check.
-- Only tasks with at least the urgency and score of select_delay_bound are sorted: sorting all takes four times as long.
with hazards as (
    select list(hazard_per_second order by bin) as by_bin
    from staged_hazards
),

weights as (
    select
        list(operation order by operation) as operations,
        list(weight order by operation) as by_operation
    from staged_weights
),

pending as (
    select
        task_urn,
        external_job_posting_id,
        operation,
        last_polled_at,
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

-- Jobs with older notifications have been polled by the floor of 24 hours.
notified as (
    select
        external_job_posting_id,
        max(received_at) as notified_at
    from notifications
    where
        application_urn = $application_urn::varchar
        and received_at <= $as_of::timestamptz
        and received_at > $as_of::timestamptz - interval 1 day
    group by external_job_posting_id
),

scored as (
    select
        pending.task_urn,
        case
            when
                pending.age_seconds >= $lifespan_seconds::double - 86400
                and pending.unpolled_seconds > pending.age_seconds - ($lifespan_seconds::double - 86400)
                then 3
            when notified.notified_at > coalesce(pending.last_polled_at, '-infinity') then 2
            when pending.unpolled_seconds >= 86400 then 1
            else 0
        end as urgency,
        -- Looked up in lists: DuckDB would swap the sides of a join and hash all pending tasks.
        coalesce(weights.by_operation[list_position(weights.operations, pending.operation)], 1)
        * hazards.by_bin[
            1 + greatest(
                0,
                least(
                    $last_bin::integer,
                    floor(
                        (ln(greatest(pending.age_seconds, 1) / $youngest_seconds::double) / $cell_log::double + 1)
                        / $cells_per_bin::integer
                    )
                )
            )::integer
        ]
        * pending.unpolled_seconds
        * pending.unpolled_seconds as score
    from pending
    cross join hazards
    cross join weights
    left join notified on pending.external_job_posting_id = notified.external_job_posting_id
)

select task_urn
from scored
where urgency > $min_urgency::integer or (urgency = $min_urgency::integer and score >= $min_score::double)
order by urgency desc, score desc, task_urn asc
limit $id_limit::bigint
