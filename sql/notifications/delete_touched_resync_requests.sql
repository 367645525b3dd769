-- Delete the resync requests of the touched applications; insert_resync_requests derives them again from all deliveries.
delete from resync_requests
where application_urn in (select touched_jobs.application_urn from touched_jobs)
