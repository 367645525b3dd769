-- One slice of all jobs, whatever is known of them: for a run in which everything is examined. One row per job.
create or replace temp table examined_jobs as
with known as (
    select
        application_urn,
        external_job_posting_id
    from job_tasks
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from notifications
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from resync_requests
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from posting_checks
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from job_postings
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from findings
    where
        resolved_at is null
        and hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from look_again
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
    union all
    select
        application_urn,
        external_job_posting_id
    from touched_jobs
    where hash(application_urn, external_job_posting_id) % $slices::ubigint = $slice::ubigint
)

select distinct *
from known
where external_job_posting_id != ''
