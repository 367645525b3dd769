-- Touch all listed jobs of an application of which LinkedIn says something for the first time: from now on a job that it does not
-- mention is unconfirmed. Runs after create_heard_applications, before insert_heard_applications.
insert into touched_jobs by name
with remembered as (
    select substr(name, 7) as application_urn
    from warehouse_info
    where starts_with(name, 'heard ')
),

heard as (
    select application_urn
    from heard_applications
    anti join remembered using (application_urn)
)

select
    application_urn,
    external_job_posting_id
from job_postings
semi join heard using (application_urn)
anti join touched_jobs using (application_urn, external_job_posting_id)
where expected_listing = 'LISTED'
