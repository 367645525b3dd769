-- Why were rows refused? One row per file and reason, the most frequent first.
select
    source,
    reason,
    count(*) as row_count,
    min(line) as first_line
from checked_import
where reason is not null
group by source, reason
order by row_count desc, first_line asc, reason asc
limit 20
