-- On which of some days did a run see anything, and could the last one see everything? One row per day with such a run.
with days as (
    select
        unnest($day_starts) as day_start,
        unnest($day_ends) as day_end
),

finished as (
    select *
    from runs
    where state not in ('RUNNING', 'FAILED')
)

select
    days.day_start,
    arg_max(finished.state = 'COMPLETED', (finished.as_of, finished.started_at)) as is_complete
from days
inner join finished
    on
        days.day_start <= finished.as_of
        and days.day_end > finished.as_of
group by days.day_start
order by days.day_start
