-- How many tasks that are not known yet were requested before the moment from which a task source was read? One row.
select
    count(*) as late_count,
    min(checked_import.requested_at) as oldest_requested_at
from checked_import
anti join job_tasks using (task_urn)
where checked_import.reason is null and checked_import.requested_at < $since::timestamptz
