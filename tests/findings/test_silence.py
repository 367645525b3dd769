"""WEBHOOK_SILENT: LinkedIn no longer challenges the webhook, or sends nothing about an application."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, BETA, NOW, TICK, ago, deliver, delivery, find, given, read, read_findings, read_open, task

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def challenge(warehouse: Warehouse, *moments: datetime, application_urn: str = "") -> None:
    rows = pa.Table.from_pylist([{"application_urn": application_urn, "challenged_at": at} for at in moments])
    warehouse.run("notifications/insert_webhook_challenges", {"staged_challenges": rows})


CHALLENGED = [
    # hours ago                    silent since, hours ago
    ([], None),
    ([4.9], None),
    ([5], 5),
    ([9, 7, 6], 6),
    ([9, 1], None),
    ([-1, 6], 6),
]


@pytest.mark.parametrize(("hours", "since"), CHALLENGED)
def test_five_hours_without_a_challenge_are_a_silence_where_there_were_some(
    warehouse: Warehouse, hours: list[float], since: float | None
) -> None:
    if hours:
        challenge(warehouse, *(NOW - hour * HOUR for hour in hours))
        challenge(warehouse, NOW - max(hours) * HOUR)
    find(warehouse)
    found = [(row["kind"], row["facet"], row["severity"], row["owner"], row["since"]) for row in read_open(warehouse)]
    expected = ("WEBHOOK_SILENT", "WEBHOOK", "HIGH", "PARTNER")
    assert found == ([] if since is None else [(*expected, NOW - since * HOUR)])


def test_it_is_one_finding_of_no_application_and_no_job_and_ends_with_the_next_challenge(warehouse: Warehouse) -> None:
    challenge(warehouse, ago(hours=8), application_urn=ACME)
    challenge(warehouse, ago(hours=9), application_urn=BETA)
    run = find(warehouse, NOW)
    (row,) = read_open(warehouse)
    assert (row["application_urn"], row["external_job_posting_id"], row["customer"]) == ("", "", None)
    assert row["finding_key"] == "WEBHOOK_SILENT|WEBHOOK||"
    assert run.findings_open == 1
    challenge(warehouse, NOW + HOUR)
    find(warehouse, NOW + HOUR)
    (row,) = read_findings(warehouse)
    assert (row["resolved_at"], row["resolution"]) == (NOW + HOUR, "HEARD")


def test_of_an_inbox_that_could_not_be_read_no_silence_is_found_and_none_is_ended(warehouse: Warehouse) -> None:
    challenge(warehouse, ago(hours=8))
    find(warehouse, unseen_facets=["WEBHOOK"])
    assert not read_open(warehouse)
    find(warehouse)
    challenge(warehouse, NOW)
    find(warehouse, unseen_facets=["WEBHOOK"])
    assert len(read_open(warehouse)) == 1


def hear(warehouse: Warehouse, moments: Iterable[datetime], application_urn: str = ACME) -> None:
    deliver(warehouse, *(delivery(at, developerApplicationUrn=application_urn, listingStatus="LISTED") for at in moments))


LAST = NOW - 48 * HOUR
EVERY_DAY = [LAST - day * DAY for day in range(7)]

QUIET = [
    # heard at, a task settled at                                          is silent
    (EVERY_DAY, LAST + HOUR, True),
    (EVERY_DAY, NOW, True),
    (EVERY_DAY, LAST - HOUR, False),
    (EVERY_DAY, None, False),
    ([at + TICK for at in EVERY_DAY], NOW, False),
    (EVERY_DAY[:3] + EVERY_DAY[4:], NOW, False),
    (EVERY_DAY[:3] + EVERY_DAY[4:] + [LAST - 3.5 * DAY], NOW, True),
    (EVERY_DAY[:6], NOW, False),
    (EVERY_DAY * 3, NOW, True),
    ([*EVERY_DAY, NOW + HOUR], NOW, True),
    ([], NOW, False),
]


@pytest.mark.parametrize(("heard", "settled_at", "is_silent"), QUIET)
def test_an_application_that_was_notified_daily_and_no_more_while_its_tasks_settle_is_a_silence(
    warehouse: Warehouse, heard: list[datetime], settled_at: datetime | None, is_silent: bool
) -> None:
    hear(warehouse, heard)
    hear(warehouse, [NOW - HOUR], BETA)
    given(warehouse, [task(requested_at=ago(days=20), status_changed_at=settled_at)] if settled_at else [])
    find(warehouse)
    assert [row["since"] for row in read_open(warehouse, kind="WEBHOOK_SILENT")] == ([LAST] if is_silent else [])
    assert [row["application_urn"] for row in read(warehouse, "select * from silences")] == ([ACME] if is_silent else [])
