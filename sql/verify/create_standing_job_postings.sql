-- The job postings as they stand, before they are derived again.
create or replace temp table standing_job_postings as
select * from job_postings
