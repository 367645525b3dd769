-- Findings of jobs that were not touched and are not due still hold: they are seen as of this run too. Those of jobs that stay
-- touched were examined; some of them could not be seen. Runs last.
update findings
set last_seen_at = $as_of::timestamptz
where
    resolved_at is null
    and last_seen_at != $as_of::timestamptz
    and not exists (
        select touched_jobs.application_urn
        from touched_jobs
        where
            touched_jobs.application_urn = findings.application_urn
            and touched_jobs.external_job_posting_id = findings.external_job_posting_id
    )
    -- What is about no single job was examined whole.
    and external_job_posting_id != ''
