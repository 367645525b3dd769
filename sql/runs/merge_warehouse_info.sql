-- Record facts about the warehouse. One row per name.
merge into warehouse_info -- noqa: PRS
using staged_info using (name)
when matched then update by name
when not matched then insert by name
