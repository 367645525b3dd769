-- Write when to look again at the examined jobs. Runs after delete_changed_looks: what stays is right.
insert into look_again by name
select *
from next_looks
anti join look_again using (application_urn, external_job_posting_id)
