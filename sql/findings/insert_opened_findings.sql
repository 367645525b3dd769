-- Open an episode for what is wrong and has no open one. The id counts the key's episodes, so that the same history
-- gives the same ids.
insert into findings by name
with episodes as (
    select
        finding_key,
        count(*) as episode_count,
        count(*) filter (where resolved_at is null) as open_count
    from findings
    semi join explained_findings using (finding_key)
    group by finding_key
)

select
    md5(current_ones.finding_key || '#' || (coalesce(episodes.episode_count, 0) + 1)::varchar) as finding_id,
    current_ones.*,
    $as_of::timestamptz as opened_at,
    $as_of::timestamptz as last_seen_at
from explained_findings as current_ones
left join episodes on current_ones.finding_key = episodes.finding_key
where coalesce(episodes.open_count, 0) = 0
