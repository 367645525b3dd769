-- Where do the open findings of the examined jobs differ from what is wrong as of the last run? One row per wrong row. A
-- finding of what that run could not see may be open though it no longer holds. Runs after create_explained_findings.
with standing as (
    select
        finding_key,
        facet,
        application_urn,
        external_job_posting_id,
        severity,
        task_urn,
        customer,
        account_manager,
        code,
        reason,
        message,
        owner,
        next_action,
        remedy,
        evidence,
        is_live
    from findings
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where resolved_at is null
),

derived as (
    select
        finding_key,
        facet,
        application_urn,
        external_job_posting_id,
        severity,
        task_urn,
        customer,
        account_manager,
        code,
        reason,
        message,
        owner,
        next_action,
        remedy,
        evidence,
        is_live
    from explained_findings
),

surplus as (
    select * from standing
    except all
    select * from derived
),

lacking as (
    select * from derived
    except all
    select * from standing
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
    'finding ' || finding_key as row_name,
    case
        when not bool_or(is_standing) then 'is missing'
        when bool_and(is_standing) then 'should not be there'
        else 'differs'
    end as difference
from wrong
anti join touched_jobs using (application_urn, external_job_posting_id)
group by finding_key, facet, application_urn
having
    not bool_and(is_standing)
    or not (
        coalesce(list_contains($unseen_applications::varchar[], application_urn), false)
        or list_contains($unseen_facets::varchar[], facet)
    )
order by row_name
