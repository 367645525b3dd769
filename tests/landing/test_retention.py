"""Quarantined bodies are tried again after a fix, and what has served its time is deleted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from jobrecon.landing.inbox import Inbox
from jobrecon.landing.inbox_reader import mark_merged, read_unmerged
from jobrecon.landing.retention import prune_landing, redrive_quarantine
from jobrecon.webhook.parsing import InvalidNotification, ParsedNotification, read_body
from models.inbox import ChallengeTime, InboxItem, QuarantinedBody
from tests.webhook.conftest import ACME, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-%d"}'


def fixed(body: bytes) -> ParsedNotification:
    """The reader after a fix: it understands what it took for broken."""
    if body.startswith(b"broken "):
        return read_body(body.removeprefix(b"broken "))
    return read_body(body)


def test_what_is_understood_after_a_fix_lands_as_received_then(engine: Engine) -> None:
    with Inbox(engine) as inbox:
        inbox.quarantine(b"broken " + BODY % 1, "not JSON", SIX, "parent#1 raw")
        inbox.quarantine(b"{", "not JSON", SIX, "parent#1 raw")
    assert redrive_quarantine(engine).landed == 0
    result = redrive_quarantine(engine, fixed)
    assert (result.landed, list(result.still_not.values())) == (1, [1])
    (row,) = rows_of(engine, InboxItem)
    assert (row.application_urn, row.external_job_posting_id, row.received_at) == (ACME, "job-1", SIX)
    assert (row.body, row.signed_by, row.merged_at) == (b"broken " + BODY % 1, "parent#1 raw", None)
    assert [row.body for row in rows_of(engine, QuarantinedBody)] == [b"{"]
    assert redrive_quarantine(engine, fixed).landed == 0


def test_two_that_redrive_at_once_land_each_body_once(engine: Engine) -> None:
    with Inbox(engine) as inbox:
        for number in range(40):
            inbox.quarantine(b"broken " + BODY % number, "not JSON", SIX, "")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: redrive_quarantine(engine, fixed), range(2)))
    assert sum(result.landed for result in results) == 40
    assert sorted(row.external_job_posting_id or "" for row in rows_of(engine, InboxItem)) == sorted(f"job-{n}" for n in range(40))


def test_a_reader_that_understands_nothing_leaves_everything(engine: Engine) -> None:
    def understand(_body: bytes) -> ParsedNotification:
        raise InvalidNotification("no")

    with Inbox(engine) as inbox:
        inbox.quarantine(b"{}", "no", SIX, "")
    assert redrive_quarantine(engine, understand).still_not == {"no": 1}
    assert len(rows_of(engine, QuarantinedBody)) == 1


def test_only_what_is_merged_and_old_is_deleted(engine: Engine) -> None:
    with Inbox(engine) as inbox:
        for days in (40, 35, 31, 29, 0):
            at = SIX - timedelta(days=days)
            inbox.land(read_body(BODY % days), BODY % days, at, "")
            inbox.quarantine(b"{", "not JSON", at, "")
            inbox.record_challenge("", at)
        ids = [row.inbox_id for row in rows_of(engine, InboxItem)]
        mark_merged(engine, [number for number in ids[:1] + ids[2:] if number], SIX)
    assert prune_landing(engine, SIX, 30) == 2 + 3 + 3
    assert [row.external_job_posting_id for row in rows_of(engine, InboxItem)] == ["job-35", "job-29", "job-0"]
    assert len(rows_of(engine, QuarantinedBody)) == len(rows_of(engine, ChallengeTime)) == 2
    assert prune_landing(engine, SIX, 30) == 0
    assert prune_landing(engine, SIX + timedelta(days=1), 0) == 2 + 2 + 2
    assert [row.external_job_posting_id for row in rows_of(engine, InboxItem)] == ["job-35"]


def test_many_are_deleted_in_chunks(engine: Engine) -> None:
    with Inbox(engine, queue_limit=10_000) as inbox:
        done = [inbox.submit_delivery(read_body(BODY % 1), BODY % 1, SIX, "")[1] for _ in range(4_500)]
        assert all(one.result() is None for one in done)
        mark_merged(engine, [row.inbox_id for batch in read_unmerged(engine, SIX) for row in batch], SIX)
    assert prune_landing(engine, SIX + timedelta(days=31), 30) == 4_500
