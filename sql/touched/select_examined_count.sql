-- How many jobs are examined in this slice? One row.
select count(*) as job_count
from examined_jobs
where external_job_posting_id != ''
