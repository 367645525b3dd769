-- Who looks after how many jobs? One row per account manager, also where there are no jobs yet.
with known as (
    select account_manager
    from customers
    where trim(account_manager) != ''
),

postings as (
    select * from job_postings
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
)

select
    coalesce(nullif(trim(account_manager), ''), $no_manager::varchar) as account_manager,
    count(external_job_posting_id) as job_count
from people
group by all
order by account_manager
