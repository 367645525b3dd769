-- Where do the job postings of the examined jobs differ from those derived from tasks, notifications and checks? One row per
-- wrong row. What was written of a touched job since the last run, the next run derives.
with standing as (
    select
        job_postings.application_urn,
        job_postings.external_job_posting_id,
        job_postings as said,
        row_number() over (partition by application_urn, external_job_posting_id) as repetition
    from job_postings
    semi join examined_jobs using (application_urn, external_job_posting_id)
),

derived as (
    select
        current_postings.application_urn,
        current_postings.external_job_posting_id,
        current_postings as said,
        1 as repetition
    from current_postings
),

compared as (
    select
        application_urn,
        external_job_posting_id,
        case
            when standing.said is null then 'is missing'
            when derived.said is null then 'should not be there'
            when (standing.said is distinct from derived.said) then 'differs'
        end as difference
    from standing
    full join derived using (application_urn, external_job_posting_id, repetition)
)

select
    concat('job ', external_job_posting_id, ' of ', application_urn) as row_name,
    min(difference) as difference
from compared
anti join touched_jobs using (application_urn, external_job_posting_id)
where difference is not null
group by application_urn, external_job_posting_id
order by row_name
