-- How long did the tasks that settled in a period take, from the request until the outcome was seen? One row per task.
with settled as (
    select
        application_urn,
        greatest(0, epoch_us(status_changed_at) - epoch_us(requested_at)) / 1000000 as seconds
    from job_tasks
    where
        state = 'SETTLED'
        and status_changed_at >= $period_start::timestamptz
        and status_changed_at < $day_end::timestamptz
)

select
    customers.account_manager,
    settled.seconds
from settled
left join customers on settled.application_urn = customers.application_urn
