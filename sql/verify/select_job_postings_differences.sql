-- Where do the job postings that stood differ from those derived from tasks, notifications and checks? One row per wrong row.
with surplus as (
    select * from standing_job_postings
    except all
    select * from job_postings
),

lacking as (
    select * from job_postings
    except all
    select * from standing_job_postings
),

wrong as (
    select
        *,
        true as is_standing
    from surplus
    union all
    select
        *,
        false as is_standing
    from lacking
)

select
    concat('job ', external_job_posting_id, ' of ', application_urn) as row_name,
    case
        when not bool_or(is_standing) then 'is missing'
        when bool_and(is_standing) then 'should not be there'
        else 'differs'
    end as difference
from wrong
anti join later_jobs using (application_urn, external_job_posting_id)
group by application_urn, external_job_posting_id
order by row_name
