"""Publishing: a new copy by rename; open readers keep the old one, and a failure leaves it unchanged."""

import os
from pathlib import Path

import duckdb
import pytest

from jobrecon.errors import PublishFailed
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_published, open_warehouse
from jobrecon.warehouse.publish import publish_file


def add_customer(warehouse: Warehouse, name: str) -> None:
    warehouse.connection.execute("insert into customers by name select ? as application_urn", [name])


def customers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.execute("select application_urn from customers order by 1").fetchall()]


def test_what_is_committed_is_published_and_an_open_reader_keeps_the_old_copy(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        add_customer(warehouse, "a")
        assert warehouse.publish() == settings.published
    with open_published(settings) as old:
        with open_warehouse(settings) as warehouse:
            add_customer(warehouse, "b")
            warehouse.publish()
        assert customers(old.connection) == ["a"]
    with open_published(settings) as new:
        assert customers(new.connection) == ["a", "b"]


def test_publishing_leaves_no_other_file(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.publish()
    assert [path.name for path in settings.published.parent.iterdir()] == [settings.published.name]


def test_the_leftover_of_a_killed_run_is_overwritten(settings: Settings) -> None:
    settings.published.parent.mkdir(parents=True)
    (settings.published.parent / f".{settings.published.name}.fresh").write_bytes(b"left by a kill")
    with open_warehouse(settings) as warehouse:
        warehouse.publish()
    with duckdb.connect(settings.published, read_only=True) as published:
        assert customers(published) == []


def test_after_a_failed_publishing_the_warehouse_is_open_and_the_old_copy_unchanged(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.publish()
    before = settings.published.read_bytes()
    blocker = settings.published.parent / f".{settings.published.name}.fresh"
    blocker.mkdir()
    with open_warehouse(settings) as warehouse:
        add_customer(warehouse, "a")
        with pytest.raises(PublishFailed, match="Is a directory"):
            warehouse.publish()
        assert settings.published.read_bytes() == before
        assert customers(warehouse.connection) == ["a"]
        blocker.rmdir()
        warehouse.publish()
    with open_published(settings) as published:
        assert customers(published.connection) == ["a"]


@pytest.mark.parametrize("step", ["copyfile", "replace", "fsync"])
def test_a_failure_at_any_step_leaves_the_old_copy_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    source, target = tmp_path / "source", tmp_path / "published" / "target"
    target.parent.mkdir()
    source.write_bytes(b"new")
    target.write_bytes(b"old")

    def fail(*_arguments: object) -> None:
        raise OSError(28, os.strerror(28))

    place = {"copyfile": "shutil.copyfile", "replace": "pathlib.Path.replace", "fsync": "os.fsync"}[step]
    monkeypatch.setattr(place, fail)
    with pytest.raises(PublishFailed, match="No space left on device"):
        publish_file(source, target)
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["target"]  # noqa: PTH208 - hidden files too
