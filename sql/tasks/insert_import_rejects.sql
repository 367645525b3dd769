-- Record the bad rows of an import with their reason; a row refused before is not kept twice.
insert into rejected_rows by name
select
    checked_import.source,
    checked_import.line,
    checked_import.reason,
    checked_import.row,
    $rejected_at::timestamptz as rejected_at
from checked_import
left join rejected_rows
    on
        checked_import.source = rejected_rows.source
        and checked_import.line = rejected_rows.line
        and checked_import.reason = rejected_rows.reason
        and checked_import.row is not distinct from rejected_rows.row
where checked_import.reason is not null and rejected_rows.source is null
