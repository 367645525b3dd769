-- Jobs stay touched of which a finding that no longer holds is open, because its application or facet could not be seen. Runs
-- after the findings of the examined jobs are merged.
insert into touched_jobs by name
select distinct
    application_urn,
    external_job_posting_id
from findings
semi join examined_jobs using (application_urn, external_job_posting_id)
anti join explained_findings using (finding_key)
anti join touched_jobs using (application_urn, external_job_posting_id)
where
    resolved_at is null
    and external_job_posting_id != ''
