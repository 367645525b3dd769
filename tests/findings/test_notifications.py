"""Deliveries become notifications: duplicates are counted, news is kept, whatever the order and the batches they come in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobrecon.warehouse import Warehouse
from tests.findings.rows import (
    ACME,
    BETA,
    JOB,
    NOW,
    TICK,
    Row,
    ago,
    clear,
    deliver,
    delivery,
    find,
    read,
    read_everything,
    read_one,
    read_open,
)

LISTED, NOT_LISTED = {"listingStatus": "LISTED"}, {"listingStatus": "NOT_LISTED"}


def read_told(warehouse: Warehouse) -> list[tuple[str, datetime, int]]:
    rows = read(warehouse, "select * from notifications order by received_at, arrival")
    return [(row["listing_status"], row["received_at"], row["deliveries"]) for row in rows]


CASES = [
    # deliveries, minute by minute                    notifications: what, in which minute, how often delivered
    ([LISTED], [("LISTED", 0, 1)]),
    ([LISTED, LISTED, LISTED], [("LISTED", 0, 3)]),
    ([LISTED, NOT_LISTED, LISTED], [("LISTED", 0, 1), ("NOT_LISTED", 1, 1), ("LISTED", 2, 1)]),
    ([LISTED, LISTED, NOT_LISTED, NOT_LISTED, LISTED], [("LISTED", 0, 2), ("NOT_LISTED", 2, 2), ("LISTED", 4, 1)]),
    ([LISTED, LISTED | {"jobPostingUrl": "https://example.com"}, LISTED], [("LISTED", 0, 1), ("LISTED", 1, 1), ("LISTED", 2, 1)]),
    ([LISTED, LISTED | {"externalJobPostingId": "job-2"}, LISTED], [("LISTED", 0, 2), ("LISTED", 1, 1)]),
    ([LISTED, LISTED | {"developerApplicationUrn": BETA}, LISTED], [("LISTED", 0, 2), ("LISTED", 1, 1)]),
]


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize(("bodies", "expected"), CASES)
def test_equal_bodies_in_a_row_are_one_notification(
    warehouse: Warehouse, bodies: list[Row], expected: list[tuple[str, int, int]], one_by_one: bool
) -> None:
    deliveries = [delivery(NOW + timedelta(minutes=minute), **body) for minute, body in enumerate(bodies)]
    for batch in [[one] for one in deliveries] if one_by_one else [deliveries]:
        deliver(warehouse, *batch)
    assert read_told(warehouse) == [(what, NOW + timedelta(minutes=minute), count) for what, minute, count in expected]


def test_a_delivery_merged_twice_counts_once(warehouse: Warehouse) -> None:
    one = delivery(NOW, **LISTED)
    assert deliver(warehouse, one, one) == 1
    before = read_everything(warehouse)
    assert deliver(warehouse, one) == 0
    assert read_everything(warehouse) == before
    assert read_told(warehouse) == [("LISTED", NOW, 1)]


def test_a_redelivery_is_counted_and_says_it_anew(warehouse: Warehouse) -> None:
    deliver(warehouse, delivery(NOW, **LISTED))
    first = read_one(warehouse, "notifications")
    assert deliver(warehouse, delivery(NOW + TICK, **LISTED)) == 1
    assert read_one(warehouse, "notifications") == first | {"deliveries": 2, "last_received_at": NOW + TICK}


def test_a_late_arrival_between_two_equal_bodies_makes_them_two(warehouse: Warehouse) -> None:
    deliver(warehouse, delivery(ago(hours=3), **LISTED), delivery(ago(hours=1), **LISTED))
    assert len(read_told(warehouse)) == 1
    deliver(warehouse, delivery(ago(hours=2), **NOT_LISTED))
    assert [what for what, _, _ in read_told(warehouse)] == ["LISTED", "NOT_LISTED", "LISTED"]


def test_what_arrives_late_but_came_first_is_the_first(warehouse: Warehouse) -> None:
    deliver(warehouse, delivery(ago(hours=1), **LISTED))
    deliver(warehouse, delivery(ago(hours=5), **LISTED))
    assert read_told(warehouse) == [("LISTED", ago(hours=5), 2)]


def test_notifications_of_an_older_version_get_the_time_of_their_last_delivery(warehouse: Warehouse) -> None:
    moments = [NOW + timedelta(minutes=minute) for minute in range(5)]
    bodies = [LISTED, LISTED, NOT_LISTED, LISTED, LISTED]
    deliver(warehouse, *(delivery(moment, **body) for moment, body in zip(moments, bodies, strict=True)))
    before = read(warehouse, "select * from notifications order by received_at")
    warehouse.connection.execute("update notifications set last_received_at = null where listing_status = 'LISTED'")
    warehouse.run("notifications/update_missing_receipts")
    assert read(warehouse, "select * from notifications order by received_at") == before
    assert [row["last_received_at"] for row in before] == [moments[1], moments[2], moments[4]]


@pytest.mark.parametrize("where", ["top", "info"])
def test_further_places_are_a_column_of_their_own(warehouse: Warehouse, where: str) -> None:
    places = {"location": "Oslo", "alternateLocations": ["Bergen", "Tromsø"]}
    deliver(warehouse, delivery(NOW, **LISTED, **(places if where == "top" else {"jobPostingInfo": places})))
    row = read_one(warehouse, "notifications")
    assert (row["location"], row["alternate_locations"]) == ("Oslo", "Bergen; Tromsø")


def test_three_notifications_of_one_moment_stay_in_the_order_of_arrival(warehouse: Warehouse) -> None:
    deliver(warehouse, delivery(NOW, **LISTED), delivery(NOW, **NOT_LISTED), delivery(NOW, **LISTED))
    assert [what for what, _, _ in read_told(warehouse)] == ["LISTED", "NOT_LISTED", "LISTED"]
    find(warehouse)
    assert read_one(warehouse, "job_postings")["listing_status"] == "LISTED"


BODIES = [LISTED, NOT_LISTED, {"listingStatus": "IN_PROGRESS"}, {"linkedInApplyStatus": "ENABLED"}]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], list[list[int]]]:
    """Deliveries about two jobs in a few moments, and an order of merging them in batches, some of them twice."""
    count = draw(st.integers(1, 8))
    deliveries = [
        delivery(
            NOW + timedelta(minutes=draw(st.integers(0, 3))),
            delivery_id=f"delivery-{number}",
            arrival=number + 1,
            externalJobPostingId=draw(st.sampled_from(["job-1", "job-2"])),
            **draw(st.sampled_from(BODIES)),
        )
        for number in range(count)
    ]
    order = draw(st.permutations(range(count))) + draw(st.lists(st.integers(0, count - 1), max_size=3))
    batches: list[list[int]] = [[]]
    for number in order:
        if draw(st.booleans()) and batches[-1]:
            batches.append([])
        batches[-1].append(number)
    return deliveries, batches


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=histories())
def test_any_order_and_any_batches_give_the_same(opened: Warehouse, history: tuple[list[Row], list[list[int]]]) -> None:
    deliveries, batches = history
    deliver(clear(opened), *deliveries)
    at_once = read_everything(opened)
    clear(opened)
    assert sum(deliver(opened, *(deliveries[number] for number in batch)) for batch in batches) == len(deliveries)
    assert read_everything(opened) == at_once
    assert sum(row["deliveries"] for row in read(opened, "select * from notifications")) == len(deliveries)


FULL = {
    "jobPostingUrl": "https://www.linkedin.com/jobs/view/1",
    "listingStatus": "NOT_LISTED",
    "listingStatusDetail": {"errorCode": None, "errorType": "CUSTOMER_ERROR", "statusMessage": "MISSING_LOCATION: Wo? “Köln”"},
    "linkedInApplyStatus": "NOT_ENABLED",
    "linkedInApplyStatusDetail": {"errorCode": 1154, "errorType": "PARTNER_ERROR", "statusMessage": "BLOCKED_WEBHOOK: gone"},
    "promotionStatus": "NOT_PROMOTED",
    "promotionStatusDetail": {"errorType": "CUSTOMER_ERROR", "statusMessage": "LI_CUSTOMER_BASIC: basic"},
}
INFO = {
    "listedAt": 1746458138000,
    "expireAt": 1762010139123,
    "location": "Oslo, Norway",
    "companyDetails": {"companyName": "Acme", "companyPage": "https://www.linkedin.com/company/1"},
}
COLUMNS = {
    "job_posting_url": "https://www.linkedin.com/jobs/view/1",
    "listing_status": "NOT_LISTED", "listing_error_code": None, "listing_error_type": "CUSTOMER_ERROR",
    "listing_message": "MISSING_LOCATION: Wo? “Köln”",
    "apply_status": "NOT_ENABLED", "apply_error_code": 1154, "apply_error_type": "PARTNER_ERROR", "apply_message": "BLOCKED_WEBHOOK: gone",
    "promotion_status": "NOT_PROMOTED", "promotion_error_code": None, "promotion_error_type": "CUSTOMER_ERROR",
    "promotion_message": "LI_CUSTOMER_BASIC: basic",
    "company_name": "Acme", "location": "Oslo, Norway",
    "listed_at": datetime(2025, 5, 5, 15, 15, 38, tzinfo=UTC), "expire_at": datetime(2025, 11, 1, 15, 15, 39, 123000, tzinfo=UTC),
}  # fmt: skip
NULLS = dict.fromkeys([*FULL, *INFO])


@pytest.mark.parametrize(
    "body",
    [
        FULL | {"jobPostingInfo": INFO},
        FULL | INFO,
        {"jobPostingInfo": FULL | INFO},
        NULLS | {"jobPostingInfo": FULL | INFO},
        FULL | INFO | {"jobPostingInfo": NULLS},
        FULL | INFO | {"jobPostingInfo": None},
        FULL | INFO | {"companyDetails": {"name": "Acme", "pageUrl": "https://www.linkedin.com/company/1"}},
    ],
)
def test_each_field_is_taken_from_wherever_it_stands(warehouse: Warehouse, body: dict[str, Any]) -> None:
    deliver(warehouse, delivery(NOW, **body))
    row = read_one(warehouse, "notifications")
    assert {name: row[name] for name in COLUMNS} == COLUMNS
    assert (row["application_urn"], row["external_job_posting_id"], row["type"]) == (ACME, JOB, "JOB_POSTING_STATUS")
    sent = {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME, "externalJobPostingId": JOB} | body
    assert orjson.loads(row["payload"]) == sent


ODD = [
    {"listedAt": 9_223_372_036_854_775_807},
    {"listedAt": 99_999_999_999_999_999},
    {"expireAt": -9_223_372_036_854_775_808},
    {"expireAt": 253_402_300_800_000},
    {"listedAt": int("9" * 300)},
    {"listedAt": 1e300, "expireAt": "tomorrow"},
    {"listedAt": True, "expireAt": {"at": 1}},
    {"listedAt": [], "jobPostingInfo": "none"},
    {"jobPostingInfo": ["none"]},
    {"listingStatusDetail": "none", "linkedInApplyStatusDetail": [], "promotionStatusDetail": 5},
    {"listingStatusDetail": {"errorCode": int("9" * 30), "statusMessage": {"text": "x"}}},
    {"listingStatusDetail": {"errorCode": "none", "errorType": 5}},
    {"listingStatusDetail": {"statusMessage": "a\0b"}},
    {"companyDetails": "Acme", "location": {"city": "Oslo"}},
]


@pytest.mark.parametrize("odd", ODD)
def test_a_field_that_makes_no_sense_stops_no_notification(warehouse: Warehouse, odd: dict[str, Any]) -> None:
    deliver(warehouse, delivery(NOW, **LISTED | odd))
    row = read_one(warehouse, "notifications")
    assert (row["listing_status"], row["listed_at"], row["expire_at"]) == ("LISTED", None, None)
    find(warehouse)
    assert [one["kind"] for one in read_open(warehouse)] == ["UNKNOWN_JOB"]


def test_a_notification_of_another_type_is_kept_and_says_nothing_of_a_listing(warehouse: Warehouse) -> None:
    deliver(warehouse, delivery(ago(hours=2), **LISTED), delivery(ago(hours=1), type="JOB_POSTING_AUDIT", **NOT_LISTED))
    deliver(warehouse, delivery(ago(hours=1), type="RESYNC_JOBS", externalJobPostingId=None, externalJobPostingIds=["job-9"]))
    assert {row["type"] for row in read(warehouse, "select type from notifications")} == {
        "JOB_POSTING_STATUS", "JOB_POSTING_AUDIT", "RESYNC_JOBS",
    }  # fmt: skip
    find(warehouse)
    assert read_one(warehouse, "job_postings")["listing_status"] == "LISTED"


def test_resyncs_of_no_job_differ_by_their_body_and_application(warehouse: Warehouse) -> None:
    def resync(minute: int, job: str, urn: str = ACME) -> Row:
        moment = NOW + timedelta(minutes=minute)
        return delivery(moment, type="RESYNC_JOBS", externalJobPostingId=None, externalJobPostingIds=[job], developerApplicationUrn=urn)

    deliver(warehouse, resync(0, "a"), resync(1, "a"), resync(2, "b"))
    deliver(warehouse, resync(3, "a"), resync(4, "a", BETA))
    counts = read(warehouse, "select application_urn, deliveries from notifications order by received_at")
    assert [tuple(row.values()) for row in counts] == [(ACME, 2), (ACME, 1), (ACME, 1), (BETA, 1)]


def test_merging_for_one_job_leaves_the_others_untouched(warehouse: Warehouse) -> None:
    deliver(warehouse, delivery(NOW, **LISTED), delivery(NOW, externalJobPostingId="job-2", **LISTED))
    before = read(warehouse, "select * from notifications where external_job_posting_id = 'job-2'")
    deliver(warehouse, delivery(NOW + TICK, **LISTED))
    assert read(warehouse, "select * from notifications where external_job_posting_id = 'job-2'") == before
    assert len(read(warehouse, "select * from notifications")) == 2
