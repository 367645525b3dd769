-- Forget the resync requests of the touched applications; derive/resync_requests tells them anew from all deliveries.
delete from resync_requests
where application_urn in (select touched_jobs.application_urn from touched_jobs)
