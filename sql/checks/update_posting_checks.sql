-- A check with the same response as the job's newest one moves that one's date.
update posting_checks
set last_checked_at = $as_of::timestamptz
from (
    select
        posting_checks.application_urn,
        posting_checks.external_job_posting_id,
        arg_max(posting_checks.check_id, (posting_checks.last_checked_at, posting_checks.checked_at)) as check_id,
        any_value(staged_checks.is_known) as is_known,
        any_value(staged_checks.payload) as payload
    from posting_checks
    inner join staged_checks using (application_urn, external_job_posting_id)
    group by posting_checks.application_urn, posting_checks.external_job_posting_id
) as newest
where
    posting_checks.check_id = newest.check_id
    and posting_checks.is_known = newest.is_known
    and posting_checks.payload::varchar is not distinct from newest.payload
