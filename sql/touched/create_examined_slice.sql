-- One slice of all jobs, whatever is known of them: for a run in which everything is examined. One row per job.
create or replace temp table examined_jobs as
with known as (
    select
        application_urn,
        external_job_posting_id
    from job_tasks
    union all
    select
        application_urn,
        external_job_posting_id
    from notifications
    union all
    select
        application_urn,
        external_job_posting_id
    from resync_requests
    union all
    select
        application_urn,
        external_job_posting_id
    from posting_checks
    union all
    select
        application_urn,
        external_job_posting_id
    from job_postings
    union all
    select
        application_urn,
        external_job_posting_id
    from findings
    where resolved_at is null
    union all
    select
        application_urn,
        external_job_posting_id
    from look_again
    union all
    select
        application_urn,
        external_job_posting_id
    from touched_jobs
)

select distinct *
from known
where
    external_job_posting_id != ''
    and hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
