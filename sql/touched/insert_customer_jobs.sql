-- Touch all jobs of applications whose customer or account manager is another, or that are retired or no longer are. Runs before
-- merge_customers.
insert into touched_jobs by name
with changed as (
    select staged.application_urn
    from staged_customers as staged
    left join customers using (application_urn)
    where
        customers.customer is distinct from staged.customer
        or customers.account_manager is distinct from nullif(trim(staged.account_manager), '')
        or coalesce(customers.retired, false) != coalesce(staged.retired, false)
),

-- A job that only a resync request names has no row in job_postings.
jobs as (
    select
        application_urn,
        external_job_posting_id
    from job_postings
    semi join changed using (application_urn)
    union
    select
        application_urn,
        external_job_posting_id
    from resync_requests
    semi join changed using (application_urn)
    where external_job_posting_id != ''
)

select jobs.*
from jobs
anti join touched_jobs using (application_urn, external_job_posting_id)
