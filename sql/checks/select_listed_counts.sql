-- How many jobs of each application should be listed? One row per application.
select
    application_urn,
    count(*) as job_count
from job_postings
where expected_listing = 'LISTED'
group by application_urn
