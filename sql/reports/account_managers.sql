-- Who looks after how many jobs known by a moment? One row per account manager, also where there are no jobs yet.
with known as (
    select account_manager
    from customers
    where trim(account_manager) != ''
),

postings as (
    select * from job_postings
),

newer as (
    select
        application_urn,
        external_job_posting_id
    from job_tasks
    where requested_at > $as_of::timestamptz
    union
    select
        application_urn,
        external_job_posting_id
    from notifications
    where received_at > $as_of::timestamptz
),

-- Only of the few jobs that something newer speaks of has to be known when they were heard of first.
later as (
    select * from newer
    except
    select
        newer.application_urn,
        newer.external_job_posting_id
    from newer
    semi join job_tasks
        on
            newer.application_urn = job_tasks.application_urn
            and newer.external_job_posting_id = job_tasks.external_job_posting_id
            and job_tasks.requested_at <= $as_of::timestamptz
    except
    select
        newer.application_urn,
        newer.external_job_posting_id
    from newer
    semi join notifications
        on
            newer.application_urn = notifications.application_urn
            and newer.external_job_posting_id = notifications.external_job_posting_id
            and notifications.received_at <= $as_of::timestamptz
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
