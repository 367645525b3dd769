-- Where does what stands of when to look again at the examined jobs differ from what was derived? One row per wrong row. Runs
-- after create_next_looks.
with standing as (
    select
        look_again.*,
        row_number() over (partition by application_urn, external_job_posting_id) as repetition
    from look_again
    semi join examined_jobs using (application_urn, external_job_posting_id)
),

derived as (
    select
        *,
        1 as repetition
    from next_looks
),

compared as (
    select
        application_urn,
        external_job_posting_id,
        case
            when standing.due_at is null then 'is missing'
            when derived.due_at is null then 'should not be there'
            when standing.due_at != derived.due_at then 'differs'
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
