-- Merges that the landing database has marked and this warehouse does not hold. One row per merge.
select staged_merges.merge_id
from staged_merges
anti join notification_merges using (merge_id)
