-- How many findings of each kind are open? One row per kind, the most frequent first.
select
    kind,
    count(*) as open
from findings
where resolved_at is null
group by kind
order by open desc, kind asc
