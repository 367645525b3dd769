-- End the episodes that are no longer true, and say how each ended. What could not be looked at in this run is not ended.
update findings
set
    resolved_at = $as_of::timestamptz,
    resolution = endings.resolution
from (
    select
        open_ones.finding_id,
        case
            when open_ones.facet = 'TASK' and coalesce(latest.task_urn != open_ones.task_urn, true) then 'SUPERSEDED'
            when open_ones.facet = 'TASK' and latest.state = 'SETTLED' then latest.status
            when open_ones.facet = 'TASK' then latest.state
            when open_ones.kind = 'WEBHOOK_SILENT' then 'HEARD'
            when open_ones.kind = 'RESYNC_DUE' and postings.last_operation = 'CLOSE' then 'CLOSED'
            when open_ones.kind = 'RESYNC_DUE' then 'UPDATED'
            when open_ones.kind = 'UNKNOWN_JOB' then 'IMPORTED'
            when open_ones.kind = 'STILL_LISTED' and listing.status != 'LISTED' then 'UNLISTED'
            when open_ones.kind = 'STILL_LISTED' then 'SUPERSEDED'
            when postings.expected_listing = 'NOT_LISTED' then 'CLOSED'
            when postings.expected_listing = 'UNKNOWN' then 'SUPERSEDED'
            when open_ones.kind = 'UNLISTED' and listing.status = 'LISTED' then 'RELISTED'
            when open_ones.kind = 'UNCONFIRMED' and listing.received_at >= postings.expected_since then 'CONFIRMED'
            when open_ones.facet = 'APPLY' and apply.status = 'ENABLED' then 'ENABLED'
            when open_ones.kind = 'STUCK' and open_ones.facet = 'LISTING' then coalesce(listing.status, 'SUPERSEDED')
            when open_ones.kind = 'STUCK' then coalesce(apply.status, 'SUPERSEDED')
            else 'SUPERSEDED'
        end as resolution
    from findings as open_ones
    left join explained_findings as current_ones on open_ones.finding_key = current_ones.finding_key
    left join latest_tasks as latest
        on
            open_ones.application_urn = latest.application_urn
            and open_ones.external_job_posting_id = latest.external_job_posting_id
            and coalesce(open_ones.location, '') = coalesce(latest.location, '')
    left join job_postings as postings
        on
            open_ones.application_urn = postings.application_urn
            and open_ones.external_job_posting_id = postings.external_job_posting_id
    left join latest_facets as listing
        on
            open_ones.application_urn = listing.application_urn
            and open_ones.external_job_posting_id = listing.external_job_posting_id
            and listing.facet = 'LISTING'
    left join latest_facets as apply
        on
            open_ones.application_urn = apply.application_urn
            and open_ones.external_job_posting_id = apply.external_job_posting_id
            and apply.facet = 'APPLY'
    where
        open_ones.resolved_at is null
        and current_ones.finding_key is null
        and not list_contains($unseen_applications::varchar[], open_ones.application_urn)
        and not list_contains($unseen_facets::varchar[], open_ones.facet)
) as endings
where findings.finding_id = endings.finding_id
