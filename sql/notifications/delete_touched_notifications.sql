-- Forget the notifications of the touched jobs; notifications/insert_notifications tells them anew from all their deliveries.
delete from notifications
where (application_urn, coalesce(external_job_posting_id, '')) in (
    select
        touched_jobs.application_urn,
        touched_jobs.external_job_posting_id
    from touched_jobs
)
