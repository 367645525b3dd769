-- Delete refused rows older than the retention.
delete from rejected_rows
where rejected_at < $before::timestamptz
