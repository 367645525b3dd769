-- Delete the rows of the examined jobs in job_postings that say something else than current_postings.
delete from job_postings
where rowid in (
    with standing as (
        select
            job_postings.rowid as standing_row,
            job_postings.application_urn,
            job_postings.external_job_posting_id,
            job_postings as said
        from job_postings
        semi join examined_jobs using (application_urn, external_job_posting_id)
    )

    select standing.standing_row
    from standing
    left join current_postings using (application_urn, external_job_posting_id)
    where standing.said is distinct from current_postings
)
