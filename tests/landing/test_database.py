"""The landing database: opened safely, private, and never named with its credentials."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from jobrecon.errors import ConfigurationError, JobreconError, LandingUnavailable
from jobrecon.landing.database import explain_landing_errors, open_landing
from models import LandingTable


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_empty_database_gets_every_table_and_opening_it_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'var' / 'deep' / 'landing.db'}"
    for _ in range(2):
        engine = open_landing(url)
        assert set(inspect(engine).get_table_names()) == set(LandingTable.metadata.tables)
        with engine.begin() as connection:
            connection.execute(text("insert into challenges values ('', '2026-03-01', 1) on conflict do nothing"))
            assert connection.scalar(text("select count(*) from challenges")) == 1
        engine.dispose()


def test_a_new_database_that_another_process_is_just_preparing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "landing.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        # While this is held SQLite refuses to switch to the write-ahead log at once, whatever its timeout.
        other.execute("begin immediate")
        release = threading.Timer(0.5, other.execute, ["commit"])
        release.start()
        open_landing(f"sqlite:///{path}").dispose()
        release.join()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_its_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "landing.db"
    engine = open_landing(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("insert into challenges values ('', '2026-03-01', 1)"))
        files = sorted(tmp_path.iterdir())
        assert [file.name for file in files] == ["landing.db", "landing.db-shm", "landing.db-wal"]
        assert [mode_of(file) for file in files] == [0o600] * 3
    engine.dispose()


def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "landing.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    open_landing(f"sqlite:///{path}").dispose()
    assert mode_of(path) == 0o600


def test_every_commit_is_on_disk_before_it_returns(tmp_path: Path) -> None:
    engine = open_landing(f"sqlite:///{tmp_path / 'landing.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("pragma journal_mode")) == "wal"
        assert connection.scalar(text("pragma synchronous")) == 2
    engine.dispose()


NO_ADDRESSES = [
    "",
    "nonsense",
    "landing.db",
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "postgresql+psycopg://me:hunter2@host:port/db",
    "nothing+here://me:hunter2@host/db",
    "mysql+pymysql://me:hunter2@host/db",
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_named_by_its_variable_and_not_shown(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="JOBRECON_LANDING_URL") as caught:
        open_landing(url)
    assert "hunter2" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def write_garbage(folder: Path) -> str:
    (folder / "landing.db").write_bytes(b"this is no database, but long enough to be read as one" * 100)
    return f"sqlite:///{folder / 'landing.db'}"


def use_a_file_as_folder(folder: Path) -> str:
    (folder / "file").touch()
    return f"sqlite:///{folder / 'file' / 'landing.db'}"


UNREACHABLE = [
    write_garbage,
    use_a_file_as_folder,
    lambda folder: f"sqlite:///{folder}",
    lambda folder: "postgresql+psycopg://me:hunter2@127.0.0.1:1/landing",
]


@pytest.mark.parametrize("make", UNREACHABLE, ids=["no-database", "no-folder", "a-folder", "nobody-there"])
def test_a_database_that_cannot_be_used_is_named_without_its_password(make: Callable[[Path], str], tmp_path: Path) -> None:
    with pytest.raises(LandingUnavailable) as caught:
        open_landing(make(tmp_path))
    assert isinstance(caught.value, JobreconError)
    assert caught.value.exit_status == 1
    assert "hunter2" not in str(caught.value)
    assert "landing" in str(caught.value)


def test_a_database_locked_by_another_process_is_named_as_such(tmp_path: Path) -> None:
    engine = open_landing(f"sqlite:///{tmp_path / 'landing.db'}")
    other = sqlite3.connect(tmp_path / "landing.db", isolation_level=None)
    other.execute("begin immediate")
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma busy_timeout = 50")
        with pytest.raises(LandingUnavailable, match="locked"), explain_landing_errors(engine):
            connection.execute(text("insert into challenges values ('', '2026-03-01', 1)"))
    other.close()
    engine.dispose()
