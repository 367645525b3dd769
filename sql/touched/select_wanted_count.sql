-- How many jobs are touched, or due to be looked at again? One row; a job that is both counts twice.
select
    (select count(*) from touched_jobs)
    + (select count(*) filter (where due_at <= $as_of::timestamptz) from look_again) as job_count
