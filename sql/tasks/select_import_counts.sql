-- What became of an import? One row per file.
select
    checked_import.source,
    count(*) filter (where checked_import.reason is null) as good,
    count(*) filter (where checked_import.reason is not null) as rejected,
    count(*) filter (
        where checked_import.reason is null and checked_import.operation not in ('CREATE', 'UPDATE', 'RENEW', 'CLOSE')
    ) as unknown_operations
from checked_import
group by checked_import.source
order by checked_import.source
