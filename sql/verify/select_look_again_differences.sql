-- Where does what stands of when to look again at the examined jobs differ from what was derived? One row per wrong row. Runs
-- after create_next_looks.
with compared as (
    select
        application_urn,
        external_job_posting_id,
        due_at,
        1 as weight
    from look_again
    semi join examined_jobs using (application_urn, external_job_posting_id)
    union all by name
    select
        *,
        -1 as weight
    from next_looks
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
