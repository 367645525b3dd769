-- Jobs whose notifications have to be derived again, because deliveries about them came. Runs after insert_deliveries.
create or replace temp table delivered_jobs as
select distinct
    application_urn,
    coalesce(external_job_posting_id, '') as external_job_posting_id
from staged_deliveries
