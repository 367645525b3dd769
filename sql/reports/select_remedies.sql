-- What can the partner's system carry out? One row per job and remedy, as in the view.
select
    application_urn,
    external_job_posting_id,
    location,
    remedy,
    not_before,
    finding_id,
    since,
    owner
from remedies
order by application_urn, external_job_posting_id, remedy
