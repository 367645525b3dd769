-- Which run that came to an end spoke last before the end of a day, of when is the last that saw anything, and what did the
-- day's runs cost? At most one row.
with finished as (
    select *
    from runs
    where as_of < $day_end::timestamptz and state != 'RUNNING'
),

seeing as (
    select max(as_of) as seen_as_of
    from finished
    where state != 'FAILED'
),

spent as (
    select coalesce(sum(calls_used), 0)::bigint as day_calls
    from finished
    where as_of >= $day_start::timestamptz
)

select
    finished.as_of,
    finished.state,
    finished.incomplete_reasons,
    finished.tasks_left,
    finished.tasks_overlooked,
    finished.calls_left,
    seeing.seen_as_of,
    spent.day_calls
from finished
cross join seeing
cross join spent
order by finished.as_of desc, finished.started_at desc
limit 1
