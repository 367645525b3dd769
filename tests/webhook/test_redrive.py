"""Quarantined bodies are parsed again after a fix."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import Engine

from jobrecon.webhook.notifications import redrive_quarantine
from jobrecon.webhook.parsing import InvalidNotification, ParsedNotification, parse_body
from models.inbox import InboxItem, QuarantinedBody
from tests.webhook.conftest import ACME, bodies_of, quarantine, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-%d"}'


def fixed(body: bytes) -> ParsedNotification:
    """The parser after a fix: it accepts what it rejected before."""
    if body.startswith(b"broken "):
        return parse_body(body.removeprefix(b"broken "))
    return parse_body(body)


def test_a_body_that_is_valid_after_a_fix_lands_with_its_first_time_of_receipt(engine: Engine) -> None:
    quarantine(engine, b"broken " + BODY % 1, "not JSON", SIX, "parent#1 raw")
    quarantine(engine, b"{", "not JSON", SIX, "parent#1 raw")
    assert redrive_quarantine(engine).landed == 0
    result = redrive_quarantine(engine, fixed)
    assert (result.landed, list(result.invalid.values())) == (1, [1])
    (row,) = rows_of(engine, InboxItem)
    assert (row.application_urn, row.external_job_posting_id, row.received_at) == (ACME, "job-1", SIX)
    assert (row.signed_by, row.merged_at) == ("parent#1 raw", None)
    assert bodies_of(engine) == [b"broken " + BODY % 1]
    assert [row.body for row in rows_of(engine, QuarantinedBody)] == [b"{"]
    assert redrive_quarantine(engine, fixed).landed == 0


def test_two_concurrent_redrives_land_each_body_once(engine: Engine) -> None:
    for number in range(40):
        quarantine(engine, b"broken " + BODY % number, "not JSON", SIX, "")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: redrive_quarantine(engine, fixed), range(2)))
    assert sum(result.landed for result in results) == 40
    assert sorted(row.external_job_posting_id or "" for row in rows_of(engine, InboxItem)) == sorted(f"job-{n}" for n in range(40))


def test_bodies_that_are_still_invalid_stay_in_quarantine(engine: Engine) -> None:
    def reject(_body: bytes) -> ParsedNotification:
        raise InvalidNotification("no")

    quarantine(engine, b"{}", "no", SIX, "")
    assert redrive_quarantine(engine, reject).invalid == {"no": 1}
    assert len(rows_of(engine, QuarantinedBody)) == 1
