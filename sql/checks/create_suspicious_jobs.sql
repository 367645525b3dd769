-- An empty table for the jobs of the run that make it check, slice by slice.
create or replace temp table suspicious_jobs (
    application_urn varchar,
    external_job_posting_id varchar,
    reason varchar,
    expired_at timestamptz
)
