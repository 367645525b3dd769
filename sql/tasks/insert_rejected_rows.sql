-- Record refused rows that Python found; a row refused before is not kept twice.
insert into rejected_rows by name
select distinct
    staged_rejects.source,
    staged_rejects.line,
    staged_rejects.reason,
    staged_rejects.row,
    $rejected_at::timestamptz as rejected_at
from staged_rejects
left join rejected_rows
    on
        staged_rejects.source = rejected_rows.source
        and staged_rejects.line is not distinct from rejected_rows.line
        and staged_rejects.reason = rejected_rows.reason
        and staged_rejects.row is not distinct from rejected_rows.row
where rejected_rows.source is null
