-- How the number of open findings changed, day by day (UTC): open_before + new_count - resolved_count = open_now, and a day's
-- open_now is the next day's open_before. One row per day and account manager, from the first finding to the last run.
with episodes as (
    select
        coalesce(account_manager, '') as account_manager,
        (opened_at at time zone 'UTC')::date as opened_on,
        (resolved_at at time zone 'UTC')::date as resolved_on
    from findings
),

span as (
    select
        (select min(opened_on) from episodes) as first_day,
        (select max((as_of at time zone 'UTC')::date) from runs) as last_day
),

days as (
    select unnest(generate_series(first_day, last_day, interval 1 day))::date as day
    from span
),

managers as (
    select distinct account_manager
    from episodes
),

opened as (
    select
        opened_on as day,
        account_manager,
        count(*) as new_count
    from episodes
    group by all
),

resolved as (
    select
        resolved_on as day,
        account_manager,
        count(*) as resolved_count
    from episodes
    where resolved_on is not null
    group by all
),

moves as (
    select
        days.day,
        managers.account_manager,
        coalesce(opened.new_count, 0) as new_count,
        coalesce(resolved.resolved_count, 0) as resolved_count
    from days
    cross join managers
    left join opened on days.day = opened.day and managers.account_manager = opened.account_manager
    left join resolved on days.day = resolved.day and managers.account_manager = resolved.account_manager
),

sums as (
    select
        *,
        sum(new_count - resolved_count) over (partition by account_manager order by day) as open_now
    from moves
)

select
    day,
    nullif(account_manager, '') as account_manager,
    (open_now - new_count + resolved_count)::bigint as open_before,
    new_count,
    resolved_count,
    open_now::bigint as open_now
from sums
