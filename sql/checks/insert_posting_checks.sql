-- A check with another response than the job's newest one is a new row. Runs after update_posting_checks, which has dated those
-- with the same response, and after create_status_fields.
insert into posting_checks by name
with fresh as (
    select
        staged_checks.application_urn,
        staged_checks.external_job_posting_id,
        staged_checks.is_known,
        staged_checks.payload::json as payload
    from staged_checks
    left join posting_checks as known
        on
            staged_checks.application_urn = known.application_urn
            and staged_checks.external_job_posting_id = known.external_job_posting_id
            and staged_checks.is_known = known.is_known
            and staged_checks.payload is not distinct from known.payload::varchar
            and known.last_checked_at = $as_of::timestamptz
    where known.check_id is null
)

select
    md5(concat_ws('|', application_urn, external_job_posting_id, epoch_us($as_of::timestamptz), payload)) as check_id,
    application_urn,
    external_job_posting_id,
    $as_of::timestamptz as checked_at,
    $as_of::timestamptz as last_checked_at,
    is_known,
    payload,
    said.*
from (
    select
        *,
        status_fields(payload) as said
    from fresh
) as statements
