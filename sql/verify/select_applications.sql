-- Every application with an open finding or a customer. One row per application.
select application_urn
from customers
union
select coalesce(application_urn, '') as application_urn
from findings
