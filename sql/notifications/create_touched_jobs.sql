-- Jobs whose notifications have to be told anew, because deliveries about them came. Runs after deliveries.
create or replace temp table touched_jobs as
select distinct
    application_urn,
    coalesce(external_job_posting_id, '') as external_job_posting_id
from staged_deliveries
