-- The notifications as they stand, before they are derived again.
create or replace temp table standing_notifications as
select * from notifications
