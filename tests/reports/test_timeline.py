"""A job's timeline: what happened, in an order that is the same each time it is read."""

from itertools import permutations

from jobrecon.reports.timeline import Job, read_timelines
from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, Row, ago, given, notification, task


def test_what_happened_at_one_moment_is_in_the_same_order_however_it_was_stored(warehouse: Warehouse) -> None:
    orders = list(permutations([None, "Bergen", "Oslo"]))
    for number, order in enumerate(orders):
        job: Row = {"external_job_posting_id": f"job-{number}"}
        tasks = [task(location=location, **job) for location in order]
        given(
            warehouse, tasks, [notification(ago(hours=1), listing_status="LISTED", listing_message=f"in {place}", **job) for place in order]
        )
    jobs = [Job(ACME, f"job-{number}") for number in range(len(orders))]
    first, *others = (
        [(event.happened_at, event.what, event.detail) for event in events] for events in read_timelines(warehouse, jobs).values()
    )
    assert len(first) == 6
    assert all(other == first for other in others)
