-- How many jobs are known?
select count(*) as postings
from job_postings
