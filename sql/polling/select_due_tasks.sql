-- Which pending tasks are looked at in this tick? One row per task, those first where a call shortens the expected delay most.
-- The delay is least when each task is checked at a rate proportional to the square root of its weight times its chance of
-- settling now, h(age); taking the highest w * h(age) * (as_of - last look)^2 at each tick does that.
-- Before them go what cannot wait (the last look on the last day of a life, jobs that a notification spoke of since, a job
-- somebody asks about) and every task once in 24 hours. Nothing is looked at before its first check.
-- Only what reaches the least urgency and score that delay_bound found is sorted: sorting all takes four times as long.
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
        (epoch_us($as_of::timestamptz) - epoch_us(coalesce(last_polled_at, requested_at))) / 1000000 as unseen_seconds
    from job_tasks
    where
        state = 'PENDING'
        and application_urn = $application_urn::varchar
        and requested_at <= $as_of::timestamptz - to_microseconds(($first_check_after::double * 1000000)::bigint)
        and (last_polled_at is null or last_polled_at < $as_of::timestamptz)
        and ($job::varchar is null or external_job_posting_id = $job::varchar)
),

-- Older notifications have had their look by the floor of 24 hours.
told as (
    select
        external_job_posting_id,
        max(received_at) as told_at
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
                and pending.unseen_seconds > pending.age_seconds - ($lifespan_seconds::double - 86400)
                then 3
            when told.told_at > pending.last_polled_at or (told.told_at is not null and pending.last_polled_at is null)
                then 2
            when pending.unseen_seconds >= 86400 then 1
            else 0
        end as urgency,
        -- Looked up in lists: a join would be turned round and hash all pending tasks.
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
        * pending.unseen_seconds
        * pending.unseen_seconds as score
    from pending
    cross join hazards
    cross join weights
    left join told on pending.external_job_posting_id = told.external_job_posting_id
)

select task_urn
from scored
where urgency > $least_urgency::integer or (urgency = $least_urgency::integer and score >= $least_score::double)
order by urgency desc, score desc, task_urn asc
limit $id_limit::bigint
