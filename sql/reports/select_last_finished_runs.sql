-- Which finished run of each shard was the last before the end of a day, when did the last one see anything, and what did the
-- shard's runs of the day cost? One row per shard; a shard whose first run came later has nulls.
with numbered as (
    select
        * replace (coalesce(shard, '') as shard),
        row_number() over (partition by coalesce(shard, '') order by as_of desc, started_at desc) as position
    from runs
    where as_of < $day_end::timestamptz and state != 'RUNNING'
),

shards as (
    select distinct coalesce(shard, '') as shard
    from runs
),

totals as (
    select
        shard,
        max(as_of) filter (where state != 'FAILED') as seen_as_of,
        coalesce(sum(calls_used) filter (where as_of >= $day_start::timestamptz), 0)::bigint as day_calls
    from numbered
    group by shard
)

select
    shards.shard,
    numbered.as_of,
    numbered.state,
    numbered.incomplete_reasons,
    coalesce(numbered.tasks_left, 0) as tasks_left,
    coalesce(numbered.tasks_overlooked, 0) as tasks_overlooked,
    coalesce(numbered.calls_left, 0) as calls_left,
    totals.seen_as_of,
    coalesce(totals.day_calls, 0) as day_calls
from shards
left join numbered on shards.shard = numbered.shard and numbered.position = 1
left join totals on shards.shard = totals.shard
order by shards.shard
