-- About how many jobs are there at most? One row.
select
    (select approx_count_distinct(hash(application_urn, external_job_posting_id)) from job_tasks)
    + (select count(*) from job_postings where last_task_urn is null) as job_count
