"""However `job_postings` is cut into slices, it comes out the same."""

import random
from datetime import timedelta

import pytest

from jobrecon.warehouse import Warehouse

from .rows import ACME, BETA, NOW, find, given, read, task, told


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
        told(
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
    for number in range(slices):
        warehouse.run("derive/job_postings", as_of=NOW, slices=slices, slice=number)
        if number == 0:
            assert 0 < len(read(warehouse, query)) < len(whole)
    assert read(warehouse, query) == whole
