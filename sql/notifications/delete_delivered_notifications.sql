-- Delete the notifications of the delivered jobs; insert_notifications derives them again from all their deliveries.
delete from notifications
where (application_urn, coalesce(external_job_posting_id, '')) in (
    select
        delivered_jobs.application_urn,
        delivered_jobs.external_job_posting_id
    from delivered_jobs
)
