-- Where do the job postings of the examined jobs differ from those derived from tasks, notifications and checks? One row per
-- wrong row. What was written of a touched job since the last run, the next run derives.
with compared as (
    select
        *,
        1 as weight
    from job_postings
    semi join examined_jobs using (application_urn, external_job_posting_id)
    union all by name
    select
        *,
        -1 as weight
    from current_postings
),

wrong as (
    select
        * exclude (weight),
        sum(weight) as surplus
    from compared
    group by all
    having surplus != 0
)

select
    concat('job ', external_job_posting_id, ' of ', application_urn) as row_name,
    difference(min(surplus), max(surplus)) as difference
from wrong
anti join touched_jobs using (application_urn, external_job_posting_id)
group by application_urn, external_job_posting_id
order by row_name
