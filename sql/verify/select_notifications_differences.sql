-- Where do the notifications that stood differ from those derived from all deliveries? One row per wrong row.
with surplus as (
    select * from standing_notifications
    except all
    select * from notifications
),

lacking as (
    select * from notifications
    except all
    select * from standing_notifications
),

wrong as (
    select
        *,
        true as is_standing
    from surplus
    union all
    select
        *,
        false as is_standing
    from lacking
)

select
    'notification ' || notification_id as row_name,
    case
        when not bool_or(is_standing) then 'is missing'
        when bool_and(is_standing) then 'should not be there'
        else 'differs'
    end as difference
from wrong
group by notification_id
order by row_name
