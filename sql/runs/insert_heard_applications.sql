-- Remember of which applications LinkedIn has said something. One row per application. Runs after create_heard_applications.
insert into warehouse_info by name
with remembered as (
    select name
    from warehouse_info
)

select
    'heard ' || heard_applications.application_urn as name,
    $as_of::timestamptz::varchar as value
from heard_applications
anti join remembered on 'heard ' || heard_applications.application_urn = remembered.name
