"""A published copy with many jobs and open findings, made in bulk: what the report is measured on."""

from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse

CUSTOMERS = """
insert into customers by name
select
    'urn:li:developerApplication:' || n as application_urn,
    'Customer ' || n as customer,
    'Manager ' || (n % 10) as account_manager,
    'manager-' || (n % 10) || '@example.com' as account_manager_email,
    300000 as daily_call_limit
from range(1, 41) as made(n)
"""

TASKS = """
insert into job_tasks by name
select
    'urn:li:simpleJobPostingTask:' || n as task_urn,
    'urn:li:developerApplication:' || (1 + n % 40) as application_urn,
    'REQ-2026-' || n as external_job_posting_id,
    'Senior Software Engineer ' || n as title,
    'CREATE' as operation,
    $as_of::timestamptz - to_seconds(4000 + n % 2000000) as requested_at,
    $as_of::timestamptz as imported_at,
    'SETTLED' as state,
    case when hash(n) % 7 = 0 then 'FAILED' else 'SUCCEEDED' end as status,
    1 + n % 5 as poll_count,
    $as_of::timestamptz - to_seconds(4000 + n % 2000000 - 300 - n % 3000) as first_polled_at,
    $as_of::timestamptz - to_seconds(4000 + n % 2000000 - 300 - n % 3000) as last_polled_at,
    $as_of::timestamptz - to_seconds(4000 + n % 2000000 - 300 - n % 3000) as status_changed_at
from range($job_count::bigint) as made(n)
"""

CHANGES = """
insert into task_status_changes by name
select
    task_urn,
    status,
    'The location ' || task_urn || ' lacks a postal code.' as error_message,
    status_changed_at as observed_at,
    'bench' as run_id
from job_tasks
"""

POSTINGS = """
insert into job_postings by name
select
    job_tasks.application_urn,
    external_job_posting_id,
    title,
    customer,
    account_manager,
    operation as last_operation,
    requested_at as last_operation_at,
    task_urn as last_task_urn,
    status as last_task_status,
    'LISTED' as expected_listing,
    requested_at as expected_since,
    'https://www.linkedin.com/jobs/view/' || (4000000000 + row_number() over ()) as job_posting_url
from job_tasks
inner join customers using (application_urn)
"""

FINDINGS = """
insert into findings by name
select
    md5(external_job_posting_id) as finding_id,
    'FAILED|TASK|' || external_job_posting_id as finding_key,
    'FAILED' as kind,
    'TASK' as facet,
    case hash(external_job_posting_id) % 3 when 0 then 'HIGH' when 1 then 'MEDIUM' else 'LOW' end as severity,
    application_urn,
    external_job_posting_id,
    last_task_urn as task_urn,
    customer,
    account_manager,
    'CODE_' || (hash(external_job_posting_id) % 25) as code,
    'LinkedIn does not accept the location of the job, cause ' || (hash(external_job_posting_id) % 25) as reason,
    'The location of ' || external_job_posting_id || ' lacks a postal code.' as message,
    case hash(title) % 3 when 0 then 'CUSTOMER' when 1 then 'PARTNER' else 'LINKEDIN' end as owner,
    'Ask the customer for the postal code and send the job again.' as next_action,
    last_operation_at + interval 20 minutes as since,
    last_operation_at + interval 20 minutes as opened_at,
    $as_of::timestamptz as last_seen_at,
    case when row_number() over () % 3 = 0 then least($as_of::timestamptz, last_operation_at + interval 2 days) end as resolved_at,
    'RELISTED' as resolution
from job_postings
where last_task_status = 'FAILED'
"""

OPEN = """
update findings
set
    resolved_at = case when chosen.rank <= $open_count::bigint then null else coalesce(resolved_at, opened_at + interval 1 hour) end,
    resolution = case when chosen.rank <= $open_count::bigint then null else 'RELISTED' end
from (select finding_id, row_number() over (order by finding_id) as rank from findings) as chosen
where findings.finding_id = chosen.finding_id
"""

RUN = """
insert into runs by name
select 'bench' as run_id, $as_of::timestamptz as as_of, $as_of::timestamptz as started_at, 'COMPLETED' as state
"""


def publish_history(settings: Settings, as_of: str, job_count: int, open_count: int) -> int:
    """Publish a history of `job_count` jobs of 40 customers with `open_count` findings open; returns how many are."""
    with open_warehouse(settings) as warehouse:
        for text in (CUSTOMERS, TASKS, CHANGES, POSTINGS, FINDINGS, RUN):
            values = {"as_of": as_of, "job_count": job_count}
            warehouse.connection.execute(text, {name: value for name, value in values.items() if f"${name}" in text})
        warehouse.connection.execute(OPEN, {"open_count": open_count})
        (count,) = warehouse.connection.execute("select count(*) from findings where resolved_at is null").fetchone() or (0,)
        warehouse.publish()
    return int(count)
