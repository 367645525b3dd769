-- Where does a job stand now? One row per application that has it; before the first run those known from tasks only.
with known as (
    select
        application_urn,
        external_job_posting_id
    from job_postings
    union
    select
        application_urn,
        external_job_posting_id
    from job_tasks
    union
    select
        application_urn,
        external_job_posting_id
    from notifications
)

select
    known.application_urn,
    job_postings.* exclude (application_urn, external_job_posting_id)
from known
left join job_postings using (application_urn, external_job_posting_id)
where
    known.external_job_posting_id = $job::varchar
    and ($application_urn::varchar is null or known.application_urn = $application_urn::varchar)
order by known.application_urn
