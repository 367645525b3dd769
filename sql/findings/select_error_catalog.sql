-- The error catalog as it is loaded, in the order of trying. One row per known message.
select
    source,
    code,
    about,
    match,
    owner,
    meaning,
    next_action,
    remedy,
    harmless,
    after_days,
    position
from error_catalog
order by position
