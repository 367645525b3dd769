-- Between which ages did tasks settle? One row per application and pair of age cells: how many tasks were last polled unsettled
-- in the one and first polled settled in the other; a null `until_cell` counts tasks not settled when last polled.
with observed as (
    select
        application_urn,
        state = 'SETTLED' as is_settled,
        (epoch_us(coalesce(last_pending_at, requested_at)) - epoch_us(requested_at)) / 1000000 as after_seconds,
        (epoch_us(status_changed_at) - epoch_us(requested_at)) / 1000000 as until_seconds
    from job_tasks
    where
        requested_at > $as_of::timestamptz - interval 14 days
        and first_polled_at is not null
        and (state = 'SETTLED' or last_pending_at is not null)
),

placed as (
    select
        application_urn,
        case
            when after_seconds < $youngest_seconds::double then 0
            else
                least($last_cell::integer, floor(ln(after_seconds / $youngest_seconds::double) / $cell_log::double)::integer + 1)
        end as after_cell,
        case
            when not is_settled then null
            when until_seconds < $youngest_seconds::double then 0
            else
                least($last_cell::integer, floor(ln(until_seconds / $youngest_seconds::double) / $cell_log::double)::integer + 1)
        end as until_cell
    from observed
)

select
    application_urn,
    after_cell,
    until_cell,
    count(*) as task_count
from placed
group by application_urn, after_cell, until_cell
