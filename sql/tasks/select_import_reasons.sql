-- Why were rows refused? One row per file and reason, the most frequent first, with examples.
select
    source,
    reason,
    count(*) as row_count,
    list(struct_pack(line, example) order by line)[:3] as examples
from checked_import
where reason is not null
group by source, reason
order by row_count desc, min(line) asc, reason asc
