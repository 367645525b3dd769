-- Every job with a delivery, a notification or a resync request: all of them are derived again.
create or replace temp table delivered_jobs as
select
    application_urn,
    coalesce(external_job_posting_id, '') as external_job_posting_id
from notification_deliveries
union
select
    application_urn,
    coalesce(external_job_posting_id, '') as external_job_posting_id
from notifications
union
select
    application_urn,
    external_job_posting_id
from resync_requests
