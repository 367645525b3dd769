-- Write what is to be said of the examined jobs into job_postings. Runs after delete_changed_postings: what stays is right.
insert into job_postings by name
select *
from current_postings
anti join job_postings using (application_urn, external_job_posting_id)
