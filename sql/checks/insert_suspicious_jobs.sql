-- Examined jobs with a finding that this run would open, by a kind that a check can refute (NEW), those whose latest task expired
-- (EXPIRED), and those with an open finding that one did, be it so or not (SEEN). Runs after create_checkable_kinds, once
-- current_findings is filled.
insert into suspicious_jobs by name
with open_ones as (
    select
        kind,
        facet,
        application_urn,
        external_job_posting_id
    from findings
    semi join examined_jobs using (application_urn, external_job_posting_id)
    where resolved_at is null
)

select distinct
    application_urn,
    external_job_posting_id,
    'NEW' as reason,
    null::timestamptz as expired_at
from current_findings
semi join checkable_kinds using (kind, facet)
anti join open_ones using (kind, facet, application_urn, external_job_posting_id)
union all
select
    application_urn,
    external_job_posting_id,
    'EXPIRED' as reason,
    max(requested_at + to_seconds($lifespan_seconds::double)) as expired_at
from latest_tasks
where state = 'EXPIRED'
group by application_urn, external_job_posting_id
union all
select distinct
    application_urn,
    external_job_posting_id,
    'SEEN' as reason,
    null::timestamptz as expired_at
from open_ones
where kind = 'EXPIRED'
