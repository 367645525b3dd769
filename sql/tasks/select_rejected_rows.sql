-- Which input rows were refused, and why? One row per refused row, the newest first.
select
    source,
    line,
    reason,
    row,
    rejected_at
from rejected_rows
order by rejected_at desc, source asc, line asc
limit $row_limit::bigint
