-- Delete the notifications of the touched jobs; insert_notifications derives them again from all their deliveries.
delete from notifications
where (application_urn, coalesce(external_job_posting_id, '')) in (
    select
        touched_jobs.application_urn,
        touched_jobs.external_job_posting_id
    from touched_jobs
)
