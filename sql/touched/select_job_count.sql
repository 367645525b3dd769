-- About how many jobs are there? As many as there are tasks, or statements of LinkedIn's, whichever are more: a job with several
-- of them takes more memory too. One row.
select
    greatest(
        (select count(*) from job_tasks), (select count(*) from notifications) + (select count(*) from posting_checks)
    ) as job_count
