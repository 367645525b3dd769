-- Copy the call ledger from the landing database.
merge into call_budget
using staged_budget as staged
    on
        call_budget.application_urn = staged.application_urn
        and call_budget.resource = staged.resource
        and call_budget.utc_date = staged.utc_date
when matched then
    update
        set
            call_limit = staged.call_limit,
            calls_used = staged.calls_used,
            exhausted_at = staged.exhausted_at
when not matched then insert (
    application_urn,
    resource,
    utc_date,
    call_limit,
    calls_used,
    exhausted_at
) values (
    staged.application_urn,
    staged.resource,
    staged.utc_date,
    staged.call_limit,
    staged.calls_used,
    staged.exhausted_at
)
