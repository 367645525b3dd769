-- Write the polled results into job_tasks. Outcomes: RECEIVED (LinkedIn gave a status), MISSING (it said nothing about the id),
-- TRANSIENT (an error for this id that may pass), NOT_FOUND (404), INVALID_URN (the id itself is not accepted). One result each.
update job_tasks as tasks set
    state = case
        when results.outcome = 'RECEIVED' and results.status in ('SUCCEEDED', 'FAILED', 'PROCESSED') then 'SETTLED'
        when results.outcome = 'INVALID_URN' then 'REJECTED'
        when results.outcome = 'NOT_FOUND' and tasks.not_found_count + 1 >= 3 then 'REJECTED'
        else 'PENDING'
    end,
    status = case when results.outcome = 'RECEIVED' then results.status else tasks.status end,
    error_message = case
        when results.outcome = 'RECEIVED' then results.error_message
        when results.outcome = 'INVALID_URN' or (results.outcome = 'NOT_FOUND' and tasks.not_found_count + 1 >= 3)
            then coalesce(results.error_message, tasks.error_message)
        else tasks.error_message
    end,
    job_posting_urn = coalesce(results.job_posting_urn, tasks.job_posting_urn),
    not_found_count = case results.outcome
        when 'RECEIVED' then 0
        when 'NOT_FOUND' then tasks.not_found_count + 1
        else tasks.not_found_count
    end,
    last_pending_at = case
        when results.outcome = 'RECEIVED' and results.status not in ('SUCCEEDED', 'FAILED', 'PROCESSED') then $as_of::timestamptz
        else tasks.last_pending_at
    end,
    poll_count = tasks.poll_count + 1,
    first_polled_at = coalesce(tasks.first_polled_at, $as_of::timestamptz),
    last_polled_at = $as_of::timestamptz,
    status_changed_at = case
        when
            results.outcome = 'RECEIVED'
            and (results.status is distinct from tasks.status or results.error_message is distinct from tasks.error_message)
            then $as_of::timestamptz
        when results.outcome = 'INVALID_URN' then $as_of::timestamptz
        when results.outcome = 'NOT_FOUND' and tasks.not_found_count + 1 >= 3 then $as_of::timestamptz
        else tasks.status_changed_at
    end
from staged_results as results
where tasks.task_urn = results.task_urn and tasks.application_urn = results.application_urn and tasks.state = 'PENDING'
