-- Delete refused rows that were tried again: they are tasks now, or are refused for another reason. Runs with staged_rejects.
delete from rejected_rows
using staged_rejects
where
    rejected_rows.source = staged_rejects.source
    and rejected_rows.line is not distinct from staged_rejects.line
    and rejected_rows.reason = staged_rejects.reason
    and rejected_rows.row = staged_rejects.row
