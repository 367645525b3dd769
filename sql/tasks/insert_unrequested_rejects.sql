-- What LinkedIn told unasked and belongs to no known task is kept aside, once. Runs after multiplied_tasks.
insert into rejected_rows by name
with unasked as (
    select distinct
        'LinkedIn, ' || application_urn as source,
        'an answer about a task nobody asked for, of no job of its batch' as reason,
        to_json({
            'task_urn': task_urn,
            'externalJobPostingId': external_job_posting_id,
            'status': status,
            'errorMessage': error_message,
            'location': location
        })::varchar as row
    from staged_results
    anti join job_tasks using (task_urn)
    where not is_requested
)

select
    unasked.source,
    unasked.reason,
    unasked.row,
    $as_of::timestamptz as rejected_at
from unasked
left join rejected_rows
    on unasked.source = rejected_rows.source and unasked.row = rejected_rows.row
where rejected_rows.source is null
