-- When LinkedIn last said that each job's time runs out, and where it says so. One row per job for which it has said so. Runs
-- after create_statements.
create or replace temp table latest_expiries as
select
    application_urn,
    external_job_posting_id,
    arg_max(expire_at, sequence) as expire_at,
    arg_max(source, sequence) as source,
    arg_max(made_at, sequence) as made_at
from statements
where expire_at is not null
group by application_urn, external_job_posting_id
