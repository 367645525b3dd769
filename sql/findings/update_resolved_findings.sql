-- End the open episodes of the examined jobs that this run did not find again, and record how each ended. One row per such
-- episode.  Each kind lists its endings in models/finding_kind.py: (fact, value, resolution). An episode gets the resolution
-- of the first ending whose fact of the job has that value today, else the kind's `else_resolution`. Two cases come before:
-- RETIRED where the customer is, and RULE_CHANGED where no ending applies to an episode of an older version. An episode stays
-- open where this run could not see its application or facet, unless the application is retired.
update findings
set
    resolved_at = $as_of::timestamptz,
    resolution = resolved.resolution
from (
    with ended as (
        select
            findings.*,
            coalesce(customers.retired, false) as is_retired
        from findings
        semi join examined_jobs using (application_urn, external_job_posting_id)
        anti join explained_findings using (finding_key)
        left join customers using (application_urn)
        where
            findings.resolved_at is null
            and (
                customers.retired
                or (
                    not list_contains($unseen_applications::varchar[], findings.application_urn)
                    and not list_contains($unseen_facets::varchar[], findings.facet)
                )
            )
    ),

    facets as (
        select
            application_urn,
            external_job_posting_id,
            any_value(status) filter (where facet = 'LISTING') as listing_status,
            any_value(made_at) filter (where facet = 'LISTING') as listing_at,
            any_value(status) filter (where facet = 'APPLY') as apply_status,
            any_value(status) filter (where facet = 'PROMOTION') as promotion_status
        from latest_facets
        semi join ended using (application_urn, external_job_posting_id)
        group by application_urn, external_job_posting_id
    ),

    jobs as (
        select
            ended.finding_id,
            ended.is_retired,
            -- Findings of versions before this column have no evidence.
            ended.evidence is null as is_of_older_rule,
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
            facets.promotion_status,
            (postings.expire_at <= $as_of::timestamptz)::varchar as is_run_out,
            (facets.listing_at >= postings.expected_since)::varchar as is_confirmed
        from ended
        left join latest_tasks as latest
            on
                ended.application_urn = latest.application_urn
                and ended.external_job_posting_id = latest.external_job_posting_id
                and coalesce(ended.location, '') = coalesce(latest.location, '')
        left join current_postings as postings
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
        on task, last_operation, expected_listing, listing_status, apply_status, promotion_status, is_run_out, is_confirmed
        into name fact value value
    )

    select
        jobs.finding_id,
        case
            when any_value(jobs.is_retired) then 'RETIRED'
            else coalesce(
                arg_min(endings.resolution, endings.position),
                case when any_value(jobs.is_of_older_rule) then 'RULE_CHANGED' end,
                any_value(kinds.else_resolution),
                'SUPERSEDED'
            )
        end as resolution
    from jobs
    left join staged_kinds as kinds
        on jobs.kind = kinds.kind and jobs.facet = kinds.facet and kinds.after_seconds = 0
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
