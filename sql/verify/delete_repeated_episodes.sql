-- Of several open episodes of one finding only the first stays: two of them say the same.
delete from findings
where rowid in (
    select repeated.rowid
    from findings as repeated
    where repeated.resolved_at is null
    qualify row_number() over (partition by repeated.finding_key order by repeated.opened_at, repeated.rowid) > 1
)
