"""The inbox on real databases: what returns is on disk, what is in trouble says so, nothing is lost in between."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text

from jobrecon.errors import LandingUnavailable
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import Inbox
from jobrecon.landing.inbox_reader import mark_merged, read_state, read_unmerged
from jobrecon.webhook.parsing import ParsedNotification, read_body
from models.inbox import Challenge, InboxItem, QuarantinedBody
from tests.webhook.conftest import ACME, BETA, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-1"}'
READ = read_body(BODY)


@pytest.fixture
def inbox(engine: Engine) -> Iterator[Inbox]:
    with Inbox(engine) as inbox:
        yield inbox


def test_a_landed_delivery_is_there_for_any_other_connection(inbox: Inbox, landing_url: str) -> None:
    delivery_id = inbox.land(READ, BODY, SIX, "parent#1 raw")
    other = open_landing(landing_url)
    (row,) = rows_of(other, InboxItem)
    other.dispose()
    assert (row.delivery_id, row.received_at, row.application_urn, row.external_job_posting_id) == (delivery_id, SIX, ACME, "job-1")
    assert (row.type, row.body_hash, row.payload, row.body) == ("JOB_POSTING_STATUS", READ.body_hash, READ.payload, BODY)
    assert (row.signed_by, row.merged_at) == ("parent#1 raw", None)


def test_every_delivery_is_a_row_of_its_own(inbox: Inbox, engine: Engine) -> None:
    ids = {inbox.land(READ, BODY, SIX, "") for _ in range(3)}
    assert {row.delivery_id for row in rows_of(engine, InboxItem)} == ids
    assert len(ids) == 3


def test_callers_at_the_same_time_share_commits_and_each_is_landed(engine: Engine) -> None:
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    with Inbox(engine) as inbox, ThreadPoolExecutor(32) as callers:
        ids = list(callers.map(lambda _: inbox.land(READ, BODY, SIX, ""), range(640)))
    assert {row.delivery_id for row in rows_of(engine, InboxItem)} == set(ids)
    assert len(set(ids)) == 640
    assert len(commits) < 640


def test_a_row_that_the_database_refuses_does_not_take_its_neighbours_with_it(engine: Engine) -> None:
    bad = ParsedNotification("JOB_POSTING_STATUS", ACME, "job-1", "{}", None)  # type: ignore[arg-type]
    with Inbox(engine) as inbox:
        futures = [inbox.submit_delivery(bad if number == 5 else READ, BODY, SIX, "")[1] for number in range(10)]
        with pytest.raises(LandingUnavailable, match="did not take a row"):
            futures[5].result()
        assert [future.result() for future in futures[:5] + futures[6:]] == [None] * 9
    assert len(rows_of(engine, InboxItem)) == 9


def test_closing_writes_what_was_taken_and_takes_no_more(engine: Engine) -> None:
    inbox = Inbox(engine)
    futures = [inbox.submit_delivery(READ, BODY, SIX, "")[1] for _ in range(500)]
    inbox.close()
    inbox.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert len(rows_of(engine, InboxItem)) == 500
    with pytest.raises(LandingUnavailable, match="stopping"):
        inbox.land(READ, BODY, SIX, "")
    assert not inbox.is_ready()


def test_an_inbox_that_was_never_used_closes(engine: Engine) -> None:
    Inbox(engine).close()


def test_a_signed_body_that_is_not_understood_is_kept(inbox: Inbox, engine: Engine) -> None:
    inbox.quarantine(b"\xff\0", "The body is not UTF-8.", SIX, "parent#1 raw")
    (row,) = rows_of(engine, QuarantinedBody)
    assert (row.body, row.reason, row.received_at, row.signed_by) == (b"\xff\0", "The body is not UTF-8.", SIX, "parent#1 raw")


def test_challenges_are_counted_and_the_last_is_kept_for_each_application(inbox: Inbox, engine: Engine) -> None:
    for urn, hours in (("", 0), (ACME, 1), ("", 4), ("", 2)):
        inbox.record_challenge(urn, SIX + timedelta(hours=hours))
    rows = {row.application_urn: (row.challenged_at, row.challenge_count) for row in rows_of(engine, Challenge)}
    assert rows == {"": (SIX + timedelta(hours=4), 3), ACME: (SIX + timedelta(hours=1), 1)}
    assert read_state(engine).last_challenged_at == SIX + timedelta(hours=4)


def test_challenges_of_one_moment_are_one_commit(engine: Engine) -> None:
    with Inbox(engine) as inbox:
        futures = [inbox.submit_challenge(urn, SIX) for urn in (BETA, ACME, "") * 20]
        assert [future.result() for future in futures] == [None] * 60
    assert {row.challenge_count for row in rows_of(engine, Challenge)} == {20}


def test_unmerged_deliveries_are_read_in_order_of_receipt_up_to_the_moment(inbox: Inbox, engine: Engine) -> None:
    minutes = [5, 1, 3, 3, 9, 2]
    ids = [inbox.land(READ, BODY, SIX + timedelta(minutes=minute), "") for minute in minutes]
    batches = list(read_unmerged(engine, SIX + timedelta(minutes=5), batch_size=2))
    assert [row.delivery_id for batch in batches for row in batch] == [ids[1], ids[5], ids[2], ids[3], ids[0]]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    first = batches[0][0]
    assert (first.received_at, first.payload, first.body_hash) == (SIX + timedelta(minutes=1), READ.payload, READ.body_hash)
    assert (first.type, first.application_urn, first.external_job_posting_id) == ("JOB_POSTING_STATUS", ACME, "job-1")


def test_what_is_marked_merged_is_not_read_again_and_keeps_its_first_mark(inbox: Inbox, engine: Engine) -> None:
    for _ in range(3):
        inbox.land(READ, BODY, SIX, "")
    first, second, third = (row.inbox_id for batch in read_unmerged(engine, SIX) for row in batch)
    mark_merged(engine, [first, second], SIX)
    mark_merged(engine, [second], SIX + timedelta(hours=1))
    mark_merged(engine, [], SIX)
    assert [row.inbox_id for batch in read_unmerged(engine, SIX) for row in batch] == [third]
    assert [row.merged_at for row in sorted(rows_of(engine, InboxItem), key=lambda row: row.inbox_id or 0)] == [SIX, SIX, None]
    assert read_state(engine).unmerged_count == 1


def test_deliveries_land_and_are_marked_while_a_reader_is_in_the_middle(inbox: Inbox, engine: Engine) -> None:
    for _ in range(30):
        inbox.land(READ, BODY, SIX, "")
    seen = []
    for batch in read_unmerged(engine, SIX, batch_size=10):
        seen += [row.inbox_id for row in batch]
        mark_merged(engine, seen, SIX)
        inbox.land(READ, BODY, SIX, "")
    assert len(seen) == len(set(seen)) == 30
    assert sum(len(batch) for batch in read_unmerged(engine, SIX)) == 3


def test_many_are_marked_at_once(inbox: Inbox, engine: Engine) -> None:
    with ThreadPoolExecutor(1):
        futures = [inbox.submit_delivery(READ, BODY, SIX, "")[1] for _ in range(900)]
        assert all(future.result() is None for future in futures)
    mark_merged(engine, range(1, 12_000), SIX)
    assert read_state(engine).unmerged_count == 0


def test_the_reading_order_comes_from_the_index(inbox: Inbox, engine: Engine) -> None:
    inbox.land(READ, BODY, SIX, "")
    query = "select payload from inbox where merged_at is null and received_at <= '2030-01-01' order by received_at, inbox_id"
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            plan = str(connection.execute(text(f"explain query plan {query}")).all())
        else:
            connection.execute(text("set enable_seqscan = off"))
            connection.execute(text("set enable_bitmapscan = off"))
            plan = str(connection.execute(text(f"explain {query}")).all())
    assert "inbox_unmerged" in plan
    assert "sort" not in plan.lower().replace("temp b-tree", "sort")


def test_the_state_of_an_empty_inbox_says_that_nothing_was_heard(inbox: Inbox, engine: Engine) -> None:
    state = read_state(engine)
    assert (state.unmerged_count, state.last_received_at, state.last_challenged_at) == (0, None, None)


def test_an_inbox_is_ready_and_being_asked_changes_nothing(inbox: Inbox, engine: Engine) -> None:
    inbox.record_challenge("", SIX)
    assert inbox.is_ready()
    assert [(row.challenged_at, row.challenge_count) for row in rows_of(engine, Challenge)] == [(SIX, 1)]


def locked(path: Path) -> sqlite3.Connection:
    """Another process in the middle of a long write."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    return other


def wait_until_running(write: "Future[None]") -> None:
    """Until the writer has taken it up, and stands before the locked database."""
    while not write.running():
        time.sleep(0.005)


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    open_landing(f"sqlite:///{tmp_path / 'busy.db'}").dispose()
    return tmp_path / "busy.db"


def test_a_full_queue_refuses_at_once_and_what_it_took_lands_when_the_database_is_free(sqlite_path: Path) -> None:
    engine = open_landing(f"sqlite:///{sqlite_path}")
    other = locked(sqlite_path)
    with Inbox(engine, queue_limit=5) as inbox:
        taken = [inbox.submit_delivery(READ, BODY, SIX, "")[1]]
        wait_until_running(taken[0])
        taken += [inbox.submit_delivery(READ, BODY, SIX, "")[1] for _ in range(5)]
        with pytest.raises(LandingUnavailable, match="already wait"):
            inbox.submit_delivery(READ, BODY, SIX, "")
        assert not inbox.is_ready(timeout_seconds=0.05)
        other.execute("rollback")
        other.close()
        assert [future.result(10) for future in taken] == [None] * len(taken)
        assert inbox.is_ready()
    assert len(rows_of(engine, InboxItem)) == 6
    engine.dispose()


def test_a_write_that_its_caller_gave_up_before_it_began_is_not_made(sqlite_path: Path) -> None:
    engine = open_landing(f"sqlite:///{sqlite_path}")
    other = locked(sqlite_path)
    with Inbox(engine, batch_limit=1) as inbox:
        first = inbox.submit_delivery(READ, BODY, SIX, "")[1]
        wait_until_running(first)
        second = inbox.submit_delivery(READ, BODY, SIX, "")[1]
        assert second.cancel()
        assert not first.cancel()
        other.execute("rollback")
        other.close()
        assert first.result(10) is None
    assert len(rows_of(engine, InboxItem)) == 1
    engine.dispose()


def test_a_database_that_stays_locked_is_unavailable_and_the_inbox_lives_on(sqlite_path: Path) -> None:
    engine = create_engine(f"sqlite:///{sqlite_path}", connect_args={"timeout": 0.1})
    other = locked(sqlite_path)
    with Inbox(engine) as inbox:
        with pytest.raises(LandingUnavailable, match="locked"):
            inbox.land(READ, BODY, SIX, "")
        other.execute("rollback")
        other.close()
        inbox.land(READ, BODY, SIX, "")
    assert len(rows_of(engine, InboxItem)) == 1
    engine.dispose()


def test_a_database_that_has_gone_is_unavailable_for_writer_and_reader(engine: Engine, inbox: Inbox) -> None:
    with engine.begin() as connection:
        for table in ("inbox", "challenges"):
            connection.execute(text(f"drop table {table}"))
    for ask in (
        lambda: inbox.land(READ, BODY, SIX, ""),
        lambda: list(read_unmerged(engine, SIX)),
        lambda: mark_merged(engine, [1], SIX),
        lambda: read_state(engine),
    ):
        with pytest.raises(LandingUnavailable) as trouble:
            ask()
        assert "job-1" not in str(trouble.value)
    assert not inbox.is_ready()


def test_a_server_set_to_acknowledge_early_still_keeps_what_is_acknowledged(landing_url: str) -> None:
    if not landing_url.startswith("postgresql"):
        pytest.skip("SQLite's own setting is tested by reading it")
    separator = "&" if "?" in landing_url else "?"
    engine = open_landing(f"{landing_url}{separator}options=-csynchronous_commit%3Doff")
    with engine.connect() as connection:
        assert connection.scalar(text("show synchronous_commit")) == "on"
    engine.dispose()


def test_a_server_that_does_not_answer_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        with pytest.raises(LandingUnavailable):
            open_landing(f"postgresql+psycopg://user@127.0.0.1:{mute.getsockname()[1]}/x?connect_timeout=2")
        assert time.monotonic() - started < 10
