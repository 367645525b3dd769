"""However `job_postings` is cut into slices, it comes out the same."""

import random
from datetime import timedelta

import pytest

from jobrecon.reconcile.findings import derive_postings, update_findings, write_postings
from jobrecon.reconcile.touched import Examination, is_derived_by
from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, BETA, NOW, find, given, notification, read, task


def derive_all(warehouse: Warehouse, slice_jobs: int = 200_000) -> list[int]:
    """Derive all job postings in slices of about so many jobs; how many rows each wrote."""
    examination = Examination(warehouse, warehouse.settings, NOW, is_everything=True, slice_jobs=slice_jobs)
    written = []
    for _ in examination.slices():
        derive_postings(warehouse, NOW)
        written.append(write_postings(warehouse))
    return written


@pytest.mark.parametrize("slices", [2, 7])
def test_slices_make_what_one_slice_makes(warehouse: Warehouse, slices: int) -> None:
    chance = random.Random(5)
    jobs = [(urn, f"job-{number}") for urn in (ACME, BETA) for number in range(60)]
    tasks = [
        task(
            task_urn=f"urn:li:task:{number}",
            application_urn=urn,
            external_job_posting_id=job,
            operation=chance.choice(["CREATE", "UPDATE", "RENEW", "CLOSE"]),
            location=chance.choice([None, "Oslo", "Bergen"]),
            state="SETTLED",
            status=chance.choice(["SUCCEEDED", "FAILED", "PROCESSED"]),
            title=chance.choice([None, "Cook", "Chef"]),
            job_posting_urn=chance.choice([None, f"urn:li:jobPosting:{number}"]),
            requested_at=NOW - timedelta(hours=chance.randrange(1, 9)),
        )
        for number, (urn, job) in enumerate(chance.choices(jobs, k=300))
    ]
    notifications = [
        notification(
            application_urn=urn, external_job_posting_id=job, listing_status=chance.choice(["LISTED", "NOT_LISTED"]), apply_status="ENABLED"
        )
        for urn, job in chance.sample(jobs, 40)
    ]
    given(warehouse, tasks, notifications)
    find(warehouse)
    query = "select * from job_postings order by all"
    whole = read(warehouse, query)
    assert len(whole) > 100
    warehouse.connection.execute("delete from job_postings")
    written = derive_all(warehouse, slice_jobs=len(whole) // slices)
    assert len(written) >= slices
    assert min(written) > 0
    assert sum(written) == len(whole)
    assert read(warehouse, query) == whole
    assert sum(derive_all(warehouse, slice_jobs=len(whole) // slices)) == 0, "what says the same is written again"
    examination = Examination(warehouse, warehouse.settings, NOW, is_everything=True, slice_jobs=len(whole) // slices)
    assert sum(examination.slices()) == len(whole), "each job is examined once"


@pytest.mark.parametrize("kind", ["tasks", "notifications", "checks"])
def test_jobs_are_cut_into_slices_whatever_they_are_known_from(warehouse: Warehouse, kind: str) -> None:
    jobs = [f"job-{number}" for number in range(40)]
    given(
        warehouse,
        [task(external_job_posting_id=job) for job in jobs] if kind == "tasks" else [],
        [notification(external_job_posting_id=job) for job in jobs] if kind != "tasks" else [],
    )
    if kind == "checks":
        warehouse.connection.execute(
            "insert into posting_checks by name select notification_id as check_id, application_urn, external_job_posting_id, "
            "received_at as checked_at, received_at as last_checked_at, true as is_known from notifications"
        )
        warehouse.connection.execute("delete from notifications")
    examination = Examination(warehouse, warehouse.settings, NOW, is_everything=True, slice_jobs=10)
    assert sum(examination.slices()) == 40
    assert examination.slice_count == 4


def test_jobs_that_come_later_are_added_to_those_known(warehouse: Warehouse) -> None:
    given(warehouse, [task(task_urn=f"urn:li:task:{number}", external_job_posting_id=f"job-{number}") for number in range(100)])
    find(warehouse)
    query = "select * from job_postings order by external_job_posting_id"
    whole = read(warehouse, query)
    warehouse.connection.execute("delete from job_postings where external_job_posting_id < 'job-5'")
    missing = len(whole) - len(read(warehouse, query))
    assert 0 < missing < len(whole)
    assert derive_all(warehouse) == [missing]
    assert read(warehouse, query) == whole


CHANGES = ["title", "customer", "last_task_status", "expected_since", "listing_message", "promotion_status", "job_posting_url"]


@pytest.mark.parametrize("column", CHANGES)
def test_a_job_that_says_something_else_is_written_anew_whatever_the_order_of_the_columns(warehouse: Warehouse, column: str) -> None:
    given(warehouse, [task(task_urn=f"urn:li:task:{number}", external_job_posting_id=f"job-{number}") for number in range(2)])
    find(warehouse)
    whole = read(warehouse, "select * from job_postings order by external_job_posting_id")
    (type_,) = (
        row["type"]
        for row in read(warehouse, "select column_name, data_type as type from duckdb_columns() where table_name = 'job_postings'")
        if row["column_name"] == column
    )
    # A column that came with a later version stands last.
    warehouse.connection.execute(f"alter table job_postings drop column {column}")
    warehouse.connection.execute(f"alter table job_postings add column {column} {type_}")
    warehouse.connection.execute("delete from job_postings")
    assert derive_all(warehouse) == [2]
    other = "timestamptz '2020-01-01 00:00:00+00'" if type_.startswith("TIMESTAMP") else "'other'"
    warehouse.connection.execute(f"update job_postings set {column} = {other} where external_job_posting_id = 'job-0'")
    assert derive_all(warehouse) == [1]
    assert read(warehouse, "select * from job_postings order by external_job_posting_id") == whole


def test_a_run_that_ends_between_its_slices_leaves_no_rules_as_known(warehouse: Warehouse) -> None:
    """Else, with the settings changed back, the findings of its first slices would pass for those of the old settings."""
    given(warehouse, [task(task_urn=f"urn:li:task:{number}", external_job_posting_id=f"job-{number}") for number in range(20)])
    find(warehouse)
    assert is_derived_by(warehouse, warehouse.settings)
    changed = warehouse.settings.model_copy(update={"stuck_after": 60})
    assert next(update_findings(warehouse, changed, NOW, slice_jobs=5)).jobs < 20
    assert not is_derived_by(warehouse, changed)
    assert not is_derived_by(warehouse, warehouse.settings)
