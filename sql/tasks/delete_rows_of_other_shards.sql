-- Leave out the rows of an import that belong to other shards: those import them. What names no configured application belongs
-- to the default shard.
delete from checked_import
where
    case
        when $is_default_shard::boolean then list_contains($others::varchar[], application_urn)
        else not coalesce(list_contains($own::varchar[], application_urn), false)
    end
