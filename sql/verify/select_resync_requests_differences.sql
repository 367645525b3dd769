-- Where do the resync requests that stood differ from those derived from all deliveries? One row per wrong row.
select
    concat('request ', delivery_id, ', job ', external_job_posting_id) as row_name,
    difference(min(surplus), max(surplus)) as difference
from wrong_rows('standing_resync_requests', 'resync_requests')
group by delivery_id, external_job_posting_id
order by row_name
