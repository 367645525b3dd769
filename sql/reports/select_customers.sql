-- What is each application's customer called? One row per application.
select
    application_urn,
    customer
from customers
where trim(customer) != ''
order by application_urn
