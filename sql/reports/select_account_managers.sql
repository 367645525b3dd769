-- Who looks after how many jobs known by a moment? One row per account manager, also where there are no jobs yet.
with known as (
    select account_manager
    from customers
    where trim(account_manager) != ''
),

postings as (
    select * from job_postings
),

heard as (
    select
        application_urn,
        external_job_posting_id,
        requested_at as heard_at
    from job_tasks
    union all
    select
        application_urn,
        external_job_posting_id,
        received_at as heard_at
    from notifications
),

newer as (
    select distinct
        application_urn,
        external_job_posting_id
    from heard
    where heard_at > $as_of::timestamptz
),

-- Only of the few jobs that something newer speaks of has to be known when they were heard of first.
later as (
    select newer.*
    from newer
    anti join heard
        on
            newer.application_urn = heard.application_urn
            and newer.external_job_posting_id = heard.external_job_posting_id
            and heard.heard_at <= $as_of::timestamptz
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
    anti join later
        on
            postings.application_urn = later.application_urn
            and postings.external_job_posting_id = later.external_job_posting_id
)

select
    coalesce(nullif(trim(account_manager), ''), $no_manager::varchar) as account_manager,
    count(external_job_posting_id) as job_count
from people
group by all
order by account_manager
