-- How many rows does each derived table hold? One row.
select
    (select count(*) from notifications) as notifications,
    (select count(*) from resync_requests) as resync_requests,
    (select count(*) from job_postings) as job_postings,
    (select count(*) from open_findings) as findings,
    (select count(*) from look_again) as look_again
