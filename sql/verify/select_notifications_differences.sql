-- Where do the notifications that stood differ from those derived from all deliveries? One row per wrong row.
select
    'notification ' || notification_id as row_name,
    difference(min(surplus), max(surplus)) as difference
from wrong_rows('standing_notifications', 'notifications')
group by notification_id
order by row_name
