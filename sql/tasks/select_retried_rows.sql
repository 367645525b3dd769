-- Refused rows whose application is configured by now. One row per refused row.
select
    source,
    line,
    reason,
    row
from rejected_rows
where
    row is not null
    and json_valid(row)
    and (
        (
            starts_with(reason, 'application_urn is of no configured application')
            and list_contains($applications::varchar[], row ->> '$.application_urn')
        )
        or ($default_application::varchar is not null and starts_with(reason, 'application_urn is empty'))
    )
order by source, line
