-- Note a batch of deliveries from the landing database, in the transaction that merges it.
insert into notification_merges (merge_id, run_id, merged_at)
values ($merge_id, $run_id, $merged_at)
