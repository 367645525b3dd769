-- Rows that one table has more often than the other; `surplus` is negative where the standing table lacks them.
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
