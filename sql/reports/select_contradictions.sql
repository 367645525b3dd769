-- For how many jobs does LinkedIn's newest statement about the listing contradict what was requested, by the end of a day? One
-- row per account manager that has such jobs. What came after the day is not known to have been so then, and left out.
with postings as (
    select * from job_postings
),

contradicting as (
    select *
    from postings
    where
        (
            (expected_listing = 'LISTED' and listing_status = 'NOT_LISTED')
            or (expected_listing = 'NOT_LISTED' and listing_status = 'LISTED')
        )
        and listing_as_of < $day_end::timestamptz
        and coalesce(expected_since < $day_end::timestamptz, true)
)

select
    account_manager,
    count(*) as job_count
from contradicting
group by account_manager
order by account_manager
