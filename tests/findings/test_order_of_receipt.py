"""Whatever the order and the batches in which notifications are merged, a job's state is what the order of receipt says."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrecon.warehouse import Warehouse
from tests.findings.rows import NOW, Row, clear, deliver, delivery, find, read

LISTINGS = [None, "LISTED", "NOT_LISTED", "IN_PROGRESS"]
APPLIES = [None, "ENABLED", "NOT_ENABLED"]
PROMOTIONS = [None, "PROMOTED", "NOT_PROMOTED"]
BODY_FIELDS = {"listing_status": "listingStatus", "apply_status": "linkedInApplyStatus", "promotion_status": "promotionStatus"}


@st.composite
def receipts(draw: st.DrawFn) -> tuple[list[Row], list[list[int]]]:
    """Up to six notifications about two jobs, some received at one moment or twice, and batches in which they are merged."""
    bodies = [
        {
            "listingStatus": draw(st.sampled_from(LISTINGS)),
            "linkedInApplyStatus": draw(st.sampled_from(APPLIES)),
            "promotionStatus": draw(st.sampled_from(PROMOTIONS)),
            "externalJobPostingId": draw(st.sampled_from(["job-1", "job-2"])),
        }
        for _ in range(draw(st.integers(1, 6)))
    ]
    sent = bodies + draw(st.lists(st.sampled_from(bodies), max_size=3))
    moments = [NOW - timedelta(minutes=draw(st.integers(0, 3))) for _ in sent]
    rows = [
        delivery(moment, delivery_id=f"delivery-{number}", arrival=number + 1, **body)
        for number, (body, moment) in enumerate(zip(sent, moments, strict=True))
    ]
    batches: list[list[int]] = [[]]
    for number in draw(st.permutations(range(len(rows)))):
        if draw(st.booleans()) and batches[-1]:
            batches.append([])
        batches[-1].append(number)
    return rows, batches


def tell_by_receipt(rows: list[Row]) -> list[Row]:
    """What the rule of contract §5.3 says, in the plainest way: the newest notification that carries a facet tells it."""
    jobs: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["received_at"], row["arrival"])):
        job = jobs.setdefault(row["external_job_posting_id"], dict.fromkeys(BODY_FIELDS))
        body = json.loads(row["payload"])
        for column, field in BODY_FIELDS.items():
            if body[field] is not None:
                job[column] = body[field]
    return [{"external_job_posting_id": job, **said} for job, said in sorted(jobs.items())]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=receipts())
def test_any_order_and_any_batches_leave_each_job_as_the_order_of_receipt_says(
    opened: Warehouse, history: tuple[list[Row], list[list[int]]]
) -> None:
    rows, batches = history
    clear(opened)
    for batch in batches:
        deliver(opened, *(rows[number] for number in batch))
    find(opened)
    columns = ["external_job_posting_id", *BODY_FIELDS]
    found = read(opened, f"select {', '.join(columns)} from job_postings order by external_job_posting_id")
    assert found == [{name: row[name] for name in columns} for row in tell_by_receipt(rows)]
