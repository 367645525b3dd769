-- Results that nobody requested and that belong to no known task go to rejected_rows, once. Runs after
-- insert_multiplied_tasks.
insert into rejected_rows by name
with unrequested as (
    select distinct
        'LinkedIn, ' || application_urn as source,
        'a result of a task that was not requested, of no job of its batch' as reason,
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
    unrequested.source,
    unrequested.reason,
    unrequested.row,
    $as_of::timestamptz as rejected_at
from unrequested
left join rejected_rows
    on unrequested.source = rejected_rows.source and unrequested.row = rejected_rows.row
where rejected_rows.source is null
