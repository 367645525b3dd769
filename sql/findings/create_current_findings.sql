-- An empty table for what is wrong at this moment; each file of findings/kinds/ adds its rows. A null severity is the kind's own.
create or replace temp table current_findings (
    kind varchar,
    facet varchar,
    severity varchar,
    application_urn varchar,
    external_job_posting_id varchar,
    location varchar,
    task_urn varchar,
    source varchar,
    error_code bigint,
    error_type varchar,
    message varchar,
    since timestamptz
)
