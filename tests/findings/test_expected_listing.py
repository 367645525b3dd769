"""What a job should be, folded from its settled tasks; and what LinkedIn last said of it, facet by facet."""

from datetime import datetime
from typing import Any

import pytest

from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, NOW, TICK, Row, ago, find, find_each, given, notification, number, read, read_one, task

OSLO, BERGEN, BODO = ({"location": f"{place}, Norway"} for place in ("Oslo", "Bergen", "Bodø"))


def day(before: float) -> datetime:
    return ago(days=before)


CASES = [
    # tasks                                                                                  expected listing, since
    ([task("CREATE", None, day(2))], "NOT_LISTED", None),
    ([task("CREATE", "FAILED", day(2))], "NOT_LISTED", None),
    ([task("CREATE", "SUCCEEDED", day(2))], "LISTED", day(2)),
    ([task("CREATE", "PROCESSED", day(2))], "UNKNOWN", day(2)),
    ([task("CREATE", "PROCESSED", day(2), error_message="no")], "UNKNOWN", day(2)),
    ([task("UPDATE", "SUCCEEDED", day(2))], "LISTED", day(2)),
    ([task("RENEW", "SUCCEEDED", day(2))], "LISTED", day(2)),
    ([task("CLOSE", "SUCCEEDED", day(2))], "NOT_LISTED", day(2)),
    ([task("CLOSE", "PROCESSED", day(2))], "UNKNOWN", day(2)),
    ([task("UPGRADE", "SUCCEEDED", day(2))], "NOT_LISTED", None),
    ([task("UPGRADE", "PROCESSED", day(2))], "NOT_LISTED", None),
    ([task("CREATE", "SUCCEEDED", day(2), state="REJECTED")], "NOT_LISTED", None),
    ([task("CREATE", "PROCESSED", day(2), state="PENDING")], "NOT_LISTED", None),
    ([task("CLOSE", "SUCCEEDED", day(2), state="EXPIRED")], "NOT_LISTED", None),
    ([task("CREATE", "SUCCEEDED", day(5)), task("UPDATE", "SUCCEEDED", day(4))], "LISTED", day(4)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("UPDATE", "FAILED", day(4))], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("UPDATE", "PROCESSED", day(4))], "UNKNOWN", day(4)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("RENEW", "FAILED", day(4))], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "SUCCEEDED", day(4))], "NOT_LISTED", day(4)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "FAILED", day(4))], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", None, day(4))], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", None, day(4), state="REJECTED")], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "IN_PROGRESS", day(4), state="EXPIRED")], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("UPGRADE", "SUCCEEDED", day(4))], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("UPGRADE", "PROCESSED", day(4))], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "SUCCEEDED", NOW + TICK)], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "SUCCEEDED", NOW)], "NOT_LISTED", NOW),
    ([task("CLOSE", "SUCCEEDED", day(4)), task("CREATE", "SUCCEEDED", day(5))], "NOT_LISTED", day(4)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "SUCCEEDED", day(4)), task("CREATE", "SUCCEEDED", day(3))], "LISTED", day(3)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "SUCCEEDED", day(4)), task("CREATE", "FAILED", day(3))], "NOT_LISTED", day(4)),
    ([task("CREATE", "PROCESSED", day(5)), task("UPDATE", "SUCCEEDED", day(4))], "LISTED", day(4)),
    ([task("CREATE", "SUCCEEDED", day(5), task_urn="a"), task("CLOSE", "SUCCEEDED", day(5), task_urn="b")], "NOT_LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5), task_urn="b"), task("CLOSE", "SUCCEEDED", day(5), task_urn="a")], "LISTED", day(5)),
    # Several places: LISTED beats UNKNOWN beats NOT_LISTED, with the latest moment among those that say so.
    ([task("CREATE", "SUCCEEDED", day(5), **OSLO), task("CLOSE", "SUCCEEDED", day(4), **BERGEN)], "LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5), **OSLO), task("CREATE", "SUCCEEDED", day(4), **BERGEN)], "LISTED", day(4)),
    ([task("CREATE", "SUCCEEDED", day(4), **OSLO), task("CREATE", "SUCCEEDED", day(5), **BERGEN)], "LISTED", day(4)),
    ([task("CREATE", "SUCCEEDED", day(5), **OSLO), task("CREATE", "PROCESSED", day(4), **BERGEN)], "LISTED", day(5)),
    ([task("CREATE", "PROCESSED", day(5), **OSLO), task("CLOSE", "SUCCEEDED", day(4), **BERGEN)], "UNKNOWN", day(5)),
    ([task("CLOSE", "SUCCEEDED", day(5), **OSLO), task("CLOSE", "SUCCEEDED", day(4), **BERGEN)], "NOT_LISTED", day(4)),
    ([task("CLOSE", "SUCCEEDED", day(5), **OSLO), task("CREATE", "FAILED", day(4), **BERGEN)], "NOT_LISTED", day(5)),
    ([task("CREATE", "SUCCEEDED", day(5), **OSLO), task("CLOSE", "SUCCEEDED", day(4), **OSLO),
      task("CREATE", "SUCCEEDED", day(6), **BERGEN), task("CREATE", "PROCESSED", day(1), **BODO)], "LISTED", day(6)),
    ([task("CREATE", "SUCCEEDED", day(5)), task("CLOSE", "SUCCEEDED", day(4), **OSLO)], "LISTED", day(5)),
]  # fmt: skip


@pytest.fixture(scope="module")
def postings(opened: Warehouse) -> dict[int, Row]:
    find_each(opened, [rows for rows, *_ in CASES])
    return {int(row["application_urn"].rpartition("/")[2]): row for row in read(opened, "select * from job_postings")}


@pytest.mark.parametrize(("case", "expected", "since"), number(CASES))
def test_the_settled_tasks_decide_what_a_job_should_be(postings: dict[int, Row], case: int, expected: str, since: datetime | None) -> None:
    assert (postings[case]["expected_listing"], postings[case]["expected_since"]) == (expected, since)


def test_a_job_with_one_task_is_what_it_is_with_another_that_says_nothing_more(opened: Warehouse) -> None:
    known = {"title": "Nurse", "job_posting_urn": "urn:li:jobPosting:7"}
    alone = [[row | known] for rows, *_ in CASES for row in rows if row["requested_at"] <= NOW]
    find_each(opened, alone)
    rows = read(opened, "select * from job_postings order by application_urn")
    find_each(opened, [[task("CREATE", "FAILED", day(9), task_urn="first"), *rows] for rows in alone])
    assert len(rows) == len(alone)
    assert read(opened, "select * from job_postings order by application_urn") == rows


LAST_WORDS: list[Any] = [
    # notifications: hours ago, arrival, what they say                                       listing, apply, promotion
    ([(5, 1, {"listing_status": "LISTED"}), (4, 2, {"listing_status": "NOT_LISTED"})], ("NOT_LISTED", None, None)),
    ([(4, 1, {"listing_status": "LISTED"}), (5, 2, {"listing_status": "NOT_LISTED"})], ("LISTED", None, None)),
    ([(4, 1, {"listing_status": "LISTED"}), (4, 2, {"listing_status": "NOT_LISTED"})], ("NOT_LISTED", None, None)),
    ([(4, 2, {"listing_status": "LISTED"}), (4, 1, {"listing_status": "NOT_LISTED"})], ("LISTED", None, None)),
    ([(4, 9, {"listing_status": "LISTED"}), (4, 10, {"listing_status": "NOT_LISTED"})], ("NOT_LISTED", None, None)),
    ([(5, 1, {"listing_status": "LISTED"}), (4, 2, {"apply_status": "ENABLED"})], ("LISTED", "ENABLED", None)),
    ([(5, 1, {"listing_status": "LISTED", "apply_status": "NOT_ENABLED", "promotion_status": "PROMOTED"}),
      (4, 2, {"promotion_status": "NOT_PROMOTED"}), (3, 3, {"apply_status": "ENABLED"})], ("LISTED", "ENABLED", "NOT_PROMOTED")),
    ([(5, 1, {"listing_status": "LISTED"}), (-1, 2, {"listing_status": "NOT_LISTED"})], ("LISTED", None, None)),
    ([(5, 1, {"listing_status": "LISTED"}), (0, 2, {"listing_status": "NOT_LISTED"})], ("NOT_LISTED", None, None)),
    ([(5, 1, {"listing_status": "LISTED"}), (4, 2, {"listing_status": "SOMETHING_NEW"})], ("SOMETHING_NEW", None, None)),
    ([(5, 1, {})], (None, None, None)),
]  # fmt: skip


def test_the_newest_notification_that_carries_a_facet_decides_it(opened: Warehouse) -> None:
    cases = [[notification(ago(hours=hours), arrival=arrival, **says) for hours, arrival, says in notes] for notes, _ in LAST_WORDS]
    find_each(opened, cases)
    rows = {int(row["application_urn"].rpartition("/")[2]): row for row in read(opened, "select * from job_postings")}
    said = [tuple(rows[case][f"{facet}_status"] for facet in ("listing", "apply", "promotion")) for case in range(len(cases))]
    assert said == [expected for _, expected in LAST_WORDS]


def test_a_posting_carries_what_tasks_and_notifications_say_of_it(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [
            task("CREATE", "SUCCEEDED", day(5), title="Nurse", job_posting_urn="urn:li:jobPosting:1"),
            task("UPDATE", "SUCCEEDED", day(4), title="Head nurse", job_posting_urn="urn:li:jobPosting:2", task_urn="last"),
            task("UPDATE", "IN_PROGRESS", day(3), task_urn="newest"),
        ],
        [notification(ago(hours=9), listing_status="LISTED", listing_message="here", apply_status="ENABLED"), notification(ago(hours=8))],
        [{"application_urn": ACME, "customer": "Acme", "account_manager": "Dana Fox", "daily_call_limit": 10}],
    )
    find(warehouse)
    assert read_one(warehouse, "job_postings") == {
        "application_urn": ACME,
        "external_job_posting_id": "job-1",
        "title": "Head nurse",
        "customer": "Acme",
        "account_manager": "Dana Fox",
        "last_operation": "UPDATE",
        "last_operation_at": day(3),
        "last_task_urn": "newest",
        "last_task_status": "IN_PROGRESS",
        "expected_listing": "LISTED",
        "expected_since": day(4),
        "listing_status": "LISTED",
        "listing_message": "here",
        "listing_as_of": ago(hours=9),
        "apply_status": "ENABLED",
        "promotion_status": None,
        "expire_at": None,
        "last_checked_at": None,
        "job_posting_urn": "urn:li:jobPosting:2",
        "job_posting_url": "https://www.linkedin.com/jobs/view/2",
    }


def test_a_job_known_from_a_notification_alone_has_a_posting(warehouse: Warehouse) -> None:
    given(warehouse, notifications=[notification(ago(hours=2), listing_status="LISTED", job_posting_url="https://example.com/1")])
    find(warehouse)
    row = read_one(warehouse, "job_postings")
    assert (row["last_operation"], row["expected_listing"], row["expected_since"]) == (None, "NOT_LISTED", None)
    assert row["job_posting_url"] == "https://example.com/1"


def test_a_posting_follows_its_tasks_from_run_to_run(warehouse: Warehouse) -> None:
    given(warehouse, [task("CREATE", "SUCCEEDED", day(5))])
    find(warehouse, ago(days=3))
    assert read_one(warehouse, "job_postings")["expected_listing"] == "LISTED"
    given(warehouse, [task("CLOSE", "SUCCEEDED", day(2))])
    find(warehouse, ago(days=2) - TICK)
    assert read_one(warehouse, "job_postings")["expected_listing"] == "LISTED"
    find(warehouse, ago(days=2))
    assert read_one(warehouse, "job_postings")["expected_listing"] == "NOT_LISTED"
