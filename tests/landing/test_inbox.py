"""The inbox on real databases: what is written is on disk, and a database that cannot be used is an error."""

import multiprocessing
import socket
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError

from jobrecon.errors import LandingUnavailable
from jobrecon.landing import inbox_reader
from jobrecon.landing.database import open_landing
from jobrecon.landing.inbox import Delivery, ReadinessProbe, make_delivery_id, write_inbox
from jobrecon.landing.inbox_reader import read_state, read_unmerged
from jobrecon.landing.webhook_health import ReceivedChallenge
from jobrecon.webhook.parsing import parse_body
from models.inbox import Challenge, InboxItem, QuarantinedBody, ReceivedBody
from tests.webhook.conftest import ACME, BETA, bodies_of, challenge, land, mark, quarantine, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-1"}'
PARSED = parse_body(BODY)


def test_a_landed_delivery_is_there_for_any_other_connection(engine: Engine, landing_url: str) -> None:
    (delivery_id,) = land(engine, BODY, SIX, "parent#1 raw")
    other = open_landing(landing_url)
    (row,) = rows_of(other, InboxItem)
    assert bodies_of(other) == [BODY]
    other.dispose()
    assert (row.delivery_id, row.received_at, row.application_urn, row.external_job_posting_id) == (delivery_id, SIX, ACME, "job-1")
    assert (row.type, row.body_hash) == ("JOB_POSTING_STATUS", PARSED.body_hash)
    assert (row.signed_by, row.merged_at) == ("parent#1 raw", None)


def test_every_delivery_is_a_row_of_its_own(engine: Engine) -> None:
    ids = {land(engine, BODY, SIX)[0] for _ in range(3)}
    assert {row.delivery_id for row in rows_of(engine, InboxItem)} == ids
    assert len(ids) == 3


def test_forked_processes_make_different_ids() -> None:
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["jobrecon.landing.inbox"])
    with server.Pool(2, maxtasksperchild=1) as pool:
        ids = pool.starmap(make_delivery_id, [()] * 4, chunksize=1)
    assert len(set(ids)) == 4


def test_the_bytes_of_a_body_that_comes_again_are_stored_once_and_counted(engine: Engine) -> None:
    large = BODY.replace(b"job-1", b'job-1","x":"' + b"a" * 200_000)
    land(engine, large, SIX, times=20)
    land(engine, large, SIX + timedelta(hours=1))
    land(engine, BODY, SIX)
    bodies = {row.body: (row.receipts, row.last_received_at) for row in rows_of(engine, ReceivedBody)}
    assert bodies == {large: (21, SIX + timedelta(hours=1)), BODY: (1, SIX)}
    rows = [row for batch in read_unmerged(engine, SIX + timedelta(hours=1)) for row in batch]
    assert len(rows) == 22
    assert {row.payload for row in rows} == {parse_body(large).payload, PARSED.payload}


def test_a_batch_is_cut_short_where_its_payloads_would_take_too_much_memory(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_reader, "MAX_BATCH_BYTES", 3 * len(BODY))
    land(engine, BODY, SIX, times=7)
    assert [len(batch) for batch in read_unmerged(engine, SIX)] == [3, 3, 1]


def test_an_invalid_body_that_comes_again_is_counted_in_quarantine(engine: Engine) -> None:
    for _ in range(3):
        quarantine(engine, b"{", "not JSON", SIX)
    assert [(row.body, row.receipts) for row in rows_of(engine, QuarantinedBody)] == [(b"{", 3)]


def test_a_signed_body_that_is_invalid_is_stored_as_it_came(engine: Engine) -> None:
    quarantine(engine, b"\xff\0", "The body is not UTF-8.", SIX, "parent#1 raw")
    (row,) = rows_of(engine, QuarantinedBody)
    assert (row.body, row.reason, row.received_at, row.signed_by) == (b"\xff\0", "The body is not UTF-8.", SIX, "parent#1 raw")


def test_challenges_are_counted_and_the_last_is_kept_for_each_application(engine: Engine) -> None:
    for urn, hours in (("", 0), (ACME, 1), ("", 4), ("", 2)):
        challenge(engine, urn, SIX + timedelta(hours=hours))
    rows = {row.application_urn: (row.challenged_at, row.challenge_count) for row in rows_of(engine, Challenge)}
    assert rows == {"": (SIX + timedelta(hours=4), 3), ACME: (SIX + timedelta(hours=1), 1)}
    assert read_state(engine).last_challenged_at == SIX + timedelta(hours=4)


def test_a_batch_is_one_commit_or_nothing(engine: Engine) -> None:
    good, bad = (Delivery(SIX, ACME, "job-1", "JOB_POSTING_STATUS", body_hash, "{}", BODY, "") for body_hash in ("hash", None))  # type: ignore[arg-type]
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    with pytest.raises(IntegrityError):
        write_inbox(engine, [good, bad])
    assert rows_of(engine, InboxItem) == []
    write_inbox(engine, [good, ReceivedChallenge("", SIX), ReadinessProbe()])
    assert len(commits) == 1
    assert len(rows_of(engine, InboxItem)) == len(rows_of(engine, Challenge)) == 1


def test_a_probe_changes_nothing(engine: Engine) -> None:
    challenge(engine, "", SIX)
    land(engine, BODY, SIX)
    write_inbox(engine, [ReadinessProbe()])
    assert [(row.challenged_at, row.challenge_count) for row in rows_of(engine, Challenge)] == [(SIX, 1)]
    assert len(rows_of(engine, InboxItem)) == len(rows_of(engine, ReceivedBody)) == 1


def test_challenges_of_one_moment_are_one_commit(engine: Engine) -> None:
    write_inbox(engine, [ReceivedChallenge(urn, SIX) for urn in (BETA, ACME, "") * 20])
    assert {row.challenge_count for row in rows_of(engine, Challenge)} == {20}


def test_unmerged_deliveries_are_read_in_order_of_receipt_up_to_the_moment(engine: Engine) -> None:
    minutes = [5, 1, 3, 3, 9, 2]
    ids = [land(engine, BODY, SIX + timedelta(minutes=minute))[0] for minute in minutes]
    batches = list(read_unmerged(engine, SIX + timedelta(minutes=5), batch_size=2))
    assert [row.delivery_id for batch in batches for row in batch] == [ids[1], ids[5], ids[2], ids[3], ids[0]]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    first = batches[0][0]
    assert (first.received_at, first.payload, first.body_hash) == (SIX + timedelta(minutes=1), PARSED.payload, PARSED.body_hash)
    assert (first.type, first.application_urn, first.external_job_posting_id) == ("JOB_POSTING_STATUS", ACME, "job-1")


def test_what_is_marked_merged_is_not_read_again_and_keeps_its_first_mark(engine: Engine) -> None:
    for _ in range(3):
        land(engine, BODY, SIX)
    first, second, third = (row.inbox_id for batch in read_unmerged(engine, SIX) for row in batch)
    mark(engine, [first, second], SIX)
    mark(engine, [second], SIX + timedelta(hours=1))
    mark(engine, [], SIX)
    assert [row.inbox_id for batch in read_unmerged(engine, SIX) for row in batch] == [third]
    assert [row.merged_at for row in sorted(rows_of(engine, InboxItem), key=lambda row: row.inbox_id or 0)] == [SIX, SIX, None]
    assert read_state(engine).unmerged_count == 1


def test_deliveries_land_and_are_marked_while_a_reader_is_in_the_middle(engine: Engine) -> None:
    for _ in range(30):
        land(engine, BODY, SIX)
    seen = []
    for batch in read_unmerged(engine, SIX, batch_size=10):
        seen += [row.inbox_id for row in batch]
        mark(engine, seen, SIX)
        land(engine, BODY, SIX)
    assert len(seen) == len(set(seen)) == 30
    assert sum(len(batch) for batch in read_unmerged(engine, SIX)) == 3


def test_many_are_marked_at_once(engine: Engine) -> None:
    land(engine, BODY, SIX, times=900)
    mark(engine, range(1, 12_000), SIX)
    assert read_state(engine).unmerged_count == 0


def test_the_reading_order_comes_from_the_index(engine: Engine) -> None:
    land(engine, BODY, SIX)
    query = "select delivery_id from inbox where merged_at is null and received_at <= '2030-01-01' order by received_at, inbox_id"
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            plan = str(connection.execute(text(f"explain query plan {query}")).all())
        else:
            connection.execute(text("set enable_seqscan = off"))
            connection.execute(text("set enable_bitmapscan = off"))
            plan = str(connection.execute(text(f"explain {query}")).all())
    assert "inbox_unmerged" in plan
    assert "sort" not in plan.lower().replace("temp b-tree", "sort")


def test_the_state_of_an_empty_inbox_says_that_nothing_was_heard(engine: Engine) -> None:
    state = read_state(engine)
    assert (state.unmerged_count, state.last_received_at, state.last_challenged_at) == (0, None, None)


def locked(path: Path) -> sqlite3.Connection:
    """Another process in the middle of a long write."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    return other


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    open_landing(f"sqlite:///{tmp_path / 'busy.db'}").dispose()
    return tmp_path / "busy.db"


def test_a_database_that_stays_locked_is_unavailable_until_it_is_free(sqlite_path: Path) -> None:
    engine = create_engine(f"sqlite:///{sqlite_path}", connect_args={"timeout": 0.1})
    other = locked(sqlite_path)
    with pytest.raises(LandingUnavailable, match="locked"):
        land(engine, BODY, SIX)
    other.execute("rollback")
    other.close()
    land(engine, BODY, SIX)
    assert len(rows_of(engine, InboxItem)) == 1
    engine.dispose()


def test_a_database_that_has_gone_is_unavailable_for_writer_and_reader(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in ("inbox", "challenges", "bodies"):
            connection.execute(text(f"drop table {table}"))
    for use in (
        lambda: land(engine, BODY, SIX),
        lambda: write_inbox(engine, [ReadinessProbe()]),
        lambda: list(read_unmerged(engine, SIX)),
        lambda: mark(engine, [1], SIX),
        lambda: read_state(engine),
    ):
        with pytest.raises(LandingUnavailable) as caught:
            use()
        assert "job-1" not in str(caught.value)


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
