-- How did the number of open findings change in a day? One row per account manager that has or had one.
with episodes as (
    select
        account_manager,
        opened_at < $day_start::timestamptz as is_older,
        coalesce(resolved_at < $day_start::timestamptz, false) as is_gone_before,
        coalesce(resolved_at < $day_end::timestamptz, false) as is_gone
    from findings
    where opened_at < $day_end::timestamptz
)

select
    account_manager,
    count(*) filter (where is_older and not is_gone_before) as open_before,
    count(*) filter (where not is_older) as new,
    count(*) filter (where is_gone and not is_gone_before) as resolved,
    count(*) filter (where not is_gone) as open_now
from episodes
group by account_manager
order by account_manager
