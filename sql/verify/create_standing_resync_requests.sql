-- The resync requests as they stand, before they are derived again.
create or replace temp table standing_resync_requests as
select * from resync_requests
