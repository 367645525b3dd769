-- End the episodes that are no longer true, and record how each ended: as the first ending of its kind says whose fact of the
-- job has the value (models/finding_kind.py). What could not be seen in this run is not ended.
update findings
set
    resolved_at = $as_of::timestamptz,
    resolution = resolved.resolution
from (
    with ended as (
        select findings.*
        from findings
        anti join explained_findings using (finding_key)
        where
            findings.resolved_at is null
            and not list_contains($unseen_applications::varchar[], findings.application_urn)
            and not list_contains($unseen_facets::varchar[], findings.facet)
    ),

    facets as (
        select
            application_urn,
            external_job_posting_id,
            any_value(status) filter (where facet = 'LISTING') as listing_status,
            any_value(received_at) filter (where facet = 'LISTING') as listing_at,
            any_value(status) filter (where facet = 'APPLY') as apply_status
        from latest_facets
        semi join ended using (application_urn, external_job_posting_id)
        group by application_urn, external_job_posting_id
    ),

    jobs as (
        select
            ended.finding_id,
            ended.kind,
            ended.facet,
            case
                when coalesce(latest.task_urn != ended.task_urn, true) then 'SUPERSEDED'
                when latest.state = 'SETTLED' then latest.status
                else latest.state
            end as task,
            postings.last_operation,
            postings.expected_listing,
            facets.listing_status,
            facets.apply_status,
            (facets.listing_at >= postings.expected_since)::varchar as is_confirmed
        from ended
        left join latest_tasks as latest
            on
                ended.application_urn = latest.application_urn
                and ended.external_job_posting_id = latest.external_job_posting_id
                and coalesce(ended.location, '') = coalesce(latest.location, '')
        left join job_postings as postings
            on
                ended.application_urn = postings.application_urn
                and ended.external_job_posting_id = postings.external_job_posting_id
        left join facets
            on
                ended.application_urn = facets.application_urn
                and ended.external_job_posting_id = facets.external_job_posting_id
    ),

    facts as (
        unpivot jobs
        on task, last_operation, expected_listing, listing_status, apply_status, is_confirmed
        into name fact value value
    )

    select
        jobs.finding_id,
        coalesce(arg_min(endings.resolution, endings.position), any_value(kinds.else_resolution), 'SUPERSEDED') as resolution
    from jobs
    left join staged_kinds as kinds
        on jobs.kind = kinds.kind and jobs.facet = kinds.facet
    left join facts
        on jobs.finding_id = facts.finding_id
    left join staged_endings as endings
        on
            facts.kind = endings.kind
            and facts.facet = endings.facet
            and facts.fact = endings.fact
            and facts.value = endings.value
    group by jobs.finding_id
) as resolved
where findings.finding_id = resolved.finding_id
