-- The error catalog as it is loaded, in the order of trying. One row per known message.
select
    source,
    code,
    match,
    owner,
    meaning,
    next_action,
    position
from error_catalog
order by position
