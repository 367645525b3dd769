-- Of which moment did the last run speak, and when was the task source last pulled?
select
    max(as_of) as last_as_of,
    max(pulled_at) as last_pulled_at
from runs
