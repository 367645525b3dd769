-- Where do the resync requests that stood differ from those derived from all deliveries? One row per wrong row.
with surplus as (
    select * from standing_resync_requests
    except all
    select * from resync_requests
),

lacking as (
    select * from resync_requests
    except all
    select * from standing_resync_requests
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
    concat('request ', delivery_id, ', job ', external_job_posting_id) as row_name,
    case
        when not bool_or(is_standing) then 'is missing'
        when bool_and(is_standing) then 'should not be there'
        else 'differs'
    end as difference
from wrong
group by delivery_id, external_job_posting_id
order by row_name
