-- Delete the resync requests of the applications of the delivered jobs; insert_resync_requests derives them again from all
-- deliveries.
delete from resync_requests
where application_urn in (select delivered_jobs.application_urn from delivered_jobs)
