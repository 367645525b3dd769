-- How many findings were open at the end of each of some days, how many came and went, and did a run cover the day? One row per
-- day and account manager that had a finding; one without a manager for a day that had none.
with days as (
    select
        unnest($dates) as date,
        unnest($day_starts) as day_start,
        unnest($day_ends) as day_end
),

finished as (
    select *
    from runs
    where state not in ('RUNNING', 'FAILED')
),

shards_covered as (
    select
        days.date,
        arg_max(finished.state = 'COMPLETED', (finished.as_of, finished.started_at)) as is_complete
    from days
    inner join finished
        on
            days.day_start <= finished.as_of
            and days.day_end > finished.as_of
    group by days.date, coalesce(finished.shard, '')
),

covered as (
    select
        date,
        bool_and(is_complete) as is_complete
    from shards_covered
    group by date
),

episodes as (
    select
        account_manager,
        opened_at,
        coalesce(resolved_at, 'infinity'::timestamptz) as ended_at
    from findings
),

movements as (
    select
        days.date,
        episodes.account_manager,
        count(*) filter (where episodes.ended_at >= days.day_end) as open_count,
        count(*) filter (where episodes.opened_at >= days.day_start) as new_count,
        count(*) filter (where episodes.ended_at < days.day_end) as ended_count
    from days
    inner join episodes
        on
            days.day_end > episodes.opened_at
            and days.day_start <= episodes.ended_at
    group by days.date, episodes.account_manager
)

select
    days.date,
    movements.account_manager,
    coalesce(movements.open_count, 0) as open_count,
    coalesce(movements.new_count, 0) as new_count,
    coalesce(movements.ended_count, 0) as ended_count,
    covered.date is not null as has_run,
    coalesce(covered.is_complete, false) as is_complete
from days
left join covered on days.date = covered.date
left join movements on days.date = movements.date
order by days.date, movements.account_manager
