-- Which findings did the run of a moment open or resolve? One row per finding, the most severe first, up to a limit for each.
with changed as (
    select
        *,
        case when opened_at = $as_of::timestamptz and resolved_at is null then 'opened' else 'resolved' end as change,
        severity_rank(severity) as severity_rank
    from findings
    where resolved_at = $as_of::timestamptz or (opened_at = $as_of::timestamptz and resolved_at is null)
)

select
    change,
    finding_id,
    kind,
    facet,
    severity,
    application_urn,
    external_job_posting_id,
    customer,
    account_manager,
    owner,
    code,
    reason,
    next_action,
    since,
    resolution
from changed
qualify row_number() over (partition by change order by severity_rank, since, finding_id) <= $most_rows::bigint
order by change, severity_rank, since, finding_id
