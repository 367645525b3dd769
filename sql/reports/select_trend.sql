-- How many findings were open at the end of each of some days, and how many came and went? One row per day and account manager
-- that had one.
with days as (
    select
        unnest($day_starts) as day_start,
        unnest($day_ends) as day_end
),

episodes as (
    select
        coalesce(nullif(trim(account_manager), ''), $no_manager::varchar) as account_manager,
        opened_at,
        coalesce(resolved_at, 'infinity'::timestamptz) as ended_at
    from findings
)

select
    days.day_start,
    episodes.account_manager,
    count(*) filter (where episodes.ended_at >= days.day_end) as open_count,
    count(*) filter (where episodes.opened_at >= days.day_start) as new_count,
    count(*) filter (where episodes.ended_at < days.day_end) as ended_count
from days
inner join episodes
    on
        days.day_end > episodes.opened_at
        and days.day_start <= episodes.ended_at
group by days.day_start, episodes.account_manager
order by days.day_start, episodes.account_manager
