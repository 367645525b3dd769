-- Who looks after how many jobs known by a moment? One row per account manager, also where there are no jobs yet.
with known as (
    select account_manager
    from customers
    where trim(account_manager) != ''
),

postings as (
    select * from job_postings
),

first_known as (
    select
        application_urn,
        external_job_posting_id,
        requested_at as known_at
    from job_tasks
    union all
    select
        application_urn,
        external_job_posting_id,
        received_at as known_at
    from notifications
),

newer as (
    select distinct
        application_urn,
        external_job_posting_id
    from first_known
    where known_at > $as_of::timestamptz
),

-- Only for the few jobs with something newer does it matter when they were first known.
later as (
    select newer.*
    from newer
    anti join first_known
        on
            newer.application_urn = first_known.application_urn
            and newer.external_job_posting_id = first_known.external_job_posting_id
            and first_known.known_at <= $as_of::timestamptz
),

people as (
    select
        known.account_manager,
        null as external_job_posting_id
    from known
    union all
    select
        postings.account_manager,
        postings.external_job_posting_id
    from postings
    anti join later using (application_urn, external_job_posting_id)
)

select
    account_manager,
    count(external_job_posting_id) as job_count
from people
group by all
order by account_manager
