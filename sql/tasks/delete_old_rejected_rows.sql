-- Refused rows are kept for a time, so that somebody can mend them; these are older.
delete from rejected_rows
where rejected_at < $before::timestamptz
