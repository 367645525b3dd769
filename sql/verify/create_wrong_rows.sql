-- The rows that stand more or less often than they are derived; `surplus` is below 0 for those that are missing. One row each.
create or replace temp macro wrong_rows(standing, derived) as table
    with compared as (
        select
            *,
            1 as weight
        from query_table(standing)
        union all by name
        select
            *,
            -1 as weight
        from query_table(derived)
    )

    select
        * exclude (weight),
        sum(weight) as surplus
    from compared
    group by all
    having surplus != 0
