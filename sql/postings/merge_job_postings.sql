-- Bring one slice of job_postings up to the moment. Rows that say the same stay untouched. Runs after postings_at.
-- (DuckDB's `by name` is no SQL that the linter knows.)
merge into job_postings -- noqa: PRS
using postings_at($as_of::timestamptz, $slices::ubigint, $slice::ubigint) as current
    on
        job_postings.application_urn = current.application_urn
        and job_postings.external_job_posting_id = current.external_job_posting_id
when matched and job_postings is distinct from current then update by name
when not matched then insert by name
