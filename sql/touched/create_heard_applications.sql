-- Of which applications has LinkedIn said anything as of this moment? One row per application.
create or replace temp table heard_applications as
with run as (
    select $as_of::timestamptz as as_of
)

select notifications.application_urn
from notifications
cross join run
where notifications.received_at <= run.as_of
union
select posting_checks.application_urn
from posting_checks
cross join run
where posting_checks.checked_at <= run.as_of
