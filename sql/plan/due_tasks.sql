-- Which pending tasks are looked at in this tick? One row per task, those first where a call shortens the expected delay most.
-- The delay is least when each task is checked at a rate proportional to the square root of its weight times its chance of
-- settling now, h(age); taking the highest w * h(age) * (as_of - last look)^2 at each tick does that.
-- Before them go what cannot wait (the last look on the last day of a life, jobs that a notification spoke of since, a job
-- somebody asks about) and every task once in 24 hours. Nothing is looked at before its first check.
with pending as (
    select
        task_urn,
        application_urn,
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
        coalesce(weights.weight, 1)
        * hazards.hazard_per_second
        * pending.unseen_seconds
        * pending.unseen_seconds
        -- What goes before lies above any score.
        + case
            when
                pending.age_seconds >= $lifespan_seconds::double - 86400
                and pending.unseen_seconds > pending.age_seconds - ($lifespan_seconds::double - 86400)
                then 3e30
            when told.told_at > pending.last_polled_at or (told.told_at is not null and pending.last_polled_at is null)
                then 2e30
            when pending.unseen_seconds >= 86400 then 1e30
            else 0
        end as score
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
    left join told on pending.external_job_posting_id = told.external_job_posting_id
)

select task_urn
from scored
order by score desc, task_urn asc
limit $id_limit::bigint
