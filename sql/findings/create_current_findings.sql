-- An empty table for what is wrong as of this moment; each file of findings/kinds/ adds its rows. Null severity and evidence are
-- those of the kind; `code` is a word of ours where LinkedIn gave none; `addition` is a sentence for the reason.
create or replace temp table current_findings (
    kind varchar,
    facet varchar,
    severity varchar,
    application_urn varchar,
    external_job_posting_id varchar,
    location varchar,
    task_urn varchar,
    operation varchar,
    source varchar,
    code varchar,
    error_code bigint,
    error_type varchar,
    message varchar,
    addition varchar,
    evidence varchar,
    since timestamptz
)
