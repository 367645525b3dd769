-- How long did LinkedIn's answers of the last days take, from the request until we saw them? One row per account manager that
-- has any, and one for all (account_manager null).
with settled as (
    select
        application_urn,
        greatest(0, epoch_us(status_changed_at) - epoch_us(requested_at)) / 1000000 as seconds
    from job_tasks
    where
        state = 'SETTLED'
        and status_changed_at >= $period_start::timestamptz
        and status_changed_at < $day_end::timestamptz
),

answers as (
    select
        settled.seconds,
        coalesce(nullif(trim(customers.account_manager), ''), $no_manager::varchar) as account_manager
    from settled
    left join customers on settled.application_urn = customers.application_urn
)

select
    account_manager,
    count(*) as answer_count,
    quantile_disc(seconds, 0.5) as median_seconds,
    quantile_disc(seconds, 0.9) as ninth_decile_seconds,
    [
        count(*) filter (where seconds < 900),
        count(*) filter (where seconds >= 900 and seconds < 3600),
        count(*) filter (where seconds >= 3600 and seconds < 14400),
        count(*) filter (where seconds >= 14400 and seconds < 86400),
        count(*) filter (where seconds >= 86400 and seconds < 259200),
        count(*) filter (where seconds >= 259200)
    ] as band_counts
from answers
group by grouping sets ((account_manager), ())
order by account_manager
