"""What is acknowledged is in the file that is at the path, whatever happens to that file."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from jobrecon.errors import LandingUnavailable
from jobrecon.landing.database import open_landing
from tests.webhook.conftest import Serve, bodies_of, land, sign

pytestmark = pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-%d"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "landing.db"


@pytest.fixture
def backup(path: Path, engine: Engine) -> Path:
    """A copy of the database with one body in it."""
    land(engine, BODY % 1, SIX)
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    shutil.copy(path, path.with_name("backup.db"))
    return path.with_name("backup.db")


def bodies_at(path: Path) -> list[bytes]:
    engine = open_landing(f"sqlite:///{path}")
    try:
        return bodies_of(engine)
    finally:
        engine.dispose()


def replace(path: Path, backup: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(backup, copy)
    copy.rename(path)


def move_and_copy(path: Path, backup: Path) -> None:
    path.rename(path.with_name("old.db"))
    shutil.copy(backup, path)


def delete_the_log(path: Path, backup: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


@pytest.mark.parametrize("change", [replace, move_and_copy, delete_the_log])
def test_a_file_that_was_replaced_is_noticed_before_the_acknowledgement_and_the_new_one_is_used_from_then_on(
    path: Path, engine: Engine, backup: Path, change: Callable[[Path, Path], None]
) -> None:
    land(engine, BODY % 2, SIX)
    change(path, backup)
    with pytest.raises(LandingUnavailable, match="moved, deleted or replaced"):
        land(engine, BODY % 3, SIX)
    land(engine, BODY % 4, SIX)
    land(engine, BODY % 5, SIX)
    engine.dispose()
    assert {BODY % 1, BODY % 4, BODY % 5} <= set(bodies_at(path))


def test_what_another_process_committed_to_the_new_file_stays_there(path: Path, engine: Engine, backup: Path) -> None:
    land(engine, BODY % 2, SIX)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).rename(path.with_name("old.db" + suffix))
    shutil.copy(backup, path)
    other = open_landing(f"sqlite:///{path}")
    land(other, BODY % 3, SIX)
    with pytest.raises(LandingUnavailable, match="moved, deleted or replaced"):
        land(engine, BODY % 4, SIX)
    land(other, BODY % 5, SIX)
    other.dispose()
    engine.dispose()
    assert {BODY % 1, BODY % 3, BODY % 5} <= set(bodies_at(path))


def test_a_file_that_is_deleted_takes_nothing_and_is_not_made_anew(path: Path, engine: Engine, backup: Path) -> None:
    path.unlink()
    for _ in range(3):
        with pytest.raises(LandingUnavailable):
            land(engine, BODY % 2, SIX)
    assert not path.exists()
    shutil.copy(backup, path)
    land(engine, BODY % 3, SIX)
    assert bodies_at(path) == [BODY % 1, BODY % 3]


def test_a_file_whose_log_is_gone_too_leaves_the_new_ones_index_alone(path: Path, engine: Engine, backup: Path) -> None:
    land(engine, BODY % 2, SIX)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    shutil.copy(backup, path)
    index = path.with_name(path.name + "-shm")
    index.write_bytes(b"another process's")
    with pytest.raises(LandingUnavailable, match="moved, deleted or replaced"):
        land(engine, BODY % 3, SIX)
    assert index.read_bytes() == b"another process's"


def test_a_file_that_is_cut_takes_nothing(path: Path, engine: Engine, backup: Path) -> None:
    path.open("wb").close()
    with pytest.raises(LandingUnavailable, match="moved, deleted or replaced"):
        land(engine, BODY % 2, SIX)
    with pytest.raises(LandingUnavailable):
        land(engine, BODY % 3, SIX)


def test_the_receiver_is_not_ready_and_acknowledges_nothing_until_the_file_is_back(
    serve: Serve, path: Path, engine: Engine, backup: Path
) -> None:
    client = serve()

    def post(number: int) -> int:
        body = BODY % number
        return client.post("/webhook", content=body, headers={"X-LI-Signature": sign(body, "acme-new")}).status_code

    assert post(2) == 200
    path.unlink()
    assert post(3) == 500
    assert client.get("/readyz").status_code == 503
    assert client.head("/readyz").status_code == 503
    shutil.copy(backup, path)
    assert post(4) == 200
    assert client.get("/readyz").status_code == 200
    engine.dispose()
    assert bodies_at(path) == [BODY % 1, BODY % 4]
