-- How many tasks are known?
select count(*) as tasks
from job_tasks
