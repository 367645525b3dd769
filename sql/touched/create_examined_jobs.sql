-- Which jobs does a run examine? One slice of the jobs that are touched or due to be looked at again. One row per job.
create or replace temp table examined_jobs as
with wanted as (
    select
        application_urn,
        external_job_posting_id
    from touched_jobs
    union
    select
        application_urn,
        external_job_posting_id
    from look_again
    where due_at <= $as_of::timestamptz
)

select *
from wanted
where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
