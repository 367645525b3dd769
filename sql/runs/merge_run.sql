-- The row of a run as it stands: made when it starts, replaced when it ends.
merge into runs -- noqa: PRS
using staged_run using (run_id)
when matched then update by name
when not matched then insert by name
