-- What LinkedIn last said about the partner's webhook: when that was looked up, and since when it is blocked. One row per fact.
select
    name,
    value
from warehouse_info
where name in ('webhook_looked_up_at', 'webhook_blocked_since')
