-- Add deliveries that are not known yet: merging one twice changes nothing.
insert into notification_deliveries by name
select
    staged_deliveries.* exclude (payload),
    staged_deliveries.payload::json as payload
from staged_deliveries
anti join notification_deliveries using (delivery_id)
qualify row_number() over (partition by staged_deliveries.delivery_id order by staged_deliveries.arrival) = 1
