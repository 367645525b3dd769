-- Copy the call ledger from the landing database. One row per application, resource and UTC day.
merge into call_budget -- noqa: PRS
using staged_budget using (application_urn, resource, utc_date)
when matched then update by name
when not matched then insert by name
