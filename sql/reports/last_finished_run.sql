-- Which run that came to an end spoke last before a moment, and of when is the last that saw anything? At most one row.
with finished as (
    select *
    from runs
    where as_of < $day_end::timestamptz and state != 'RUNNING'
),

seeing as (
    select max(as_of) as seen_as_of
    from finished
    where state != 'FAILED'
)

select
    finished.as_of,
    finished.state,
    finished.incomplete_reasons,
    finished.tasks_left,
    seeing.seen_as_of
from finished
cross join seeing
order by finished.as_of desc, finished.started_at desc
limit 1
