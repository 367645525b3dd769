-- Where do the open findings of the examined jobs differ from what is wrong as of the last run? One row per wrong row. A
-- finding of what that run could not see may be open though it no longer holds. Runs after create_explained_findings.
with compared as (
    select
        -- By name: an old file may have columns that are ours no more.
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
        is_live,
        1 as weight
    from findings
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where resolved_at is null
    union all by name
    select
        * exclude (kind, location, since),
        -1 as weight
    from explained_findings
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
    'finding ' || finding_key as row_name,
    difference(min(surplus), max(surplus)) as difference
from wrong
anti join touched_jobs using (application_urn, external_job_posting_id)
group by finding_key, facet, application_urn
having
    min(surplus) < 0
    or not (
        coalesce(list_contains($unseen_applications::varchar[], application_urn), false)
        or list_contains($unseen_facets::varchar[], facet)
    )
order by row_name
