-- The latest time a run spoke about, and the last pull of the task source. One row.
select
    max(as_of) as last_as_of,
    max(pulled_at) as last_pulled_at
from runs
