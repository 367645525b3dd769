-- How many tasks are the latest of their job and place?
select count(*) as latest
from latest_tasks
