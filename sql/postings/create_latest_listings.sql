-- What LinkedIn last said of each job's listing. One row per job. Runs after create_latest_facets.
create or replace temp view latest_listings as
select *
from latest_facets
where facet = 'LISTING'
