-- Delete when to look again at the examined jobs for which that is another moment now. Runs after create_next_looks.
delete from look_again
where rowid in (
    with standing as (
        select
            look_again.rowid as standing_row,
            look_again.application_urn,
            look_again.external_job_posting_id,
            look_again.due_at
        from look_again
        semi join examined_jobs using (application_urn, external_job_posting_id)
    )

    select standing.standing_row
    from standing
    left join next_looks using (application_urn, external_job_posting_id)
    where standing.due_at is distinct from next_looks.due_at
)
