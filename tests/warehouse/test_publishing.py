"""Publishing: a whole new copy by rename; who reads the old one keeps it, and a failure harms nothing."""

import os

import duckdb
import pytest

from jobrecon.errors import PublishFailed
from jobrecon.warehouse import open_published, open_warehouse
from jobrecon.warehouse.publish import publish_file


def add_customer(warehouse, name):
    warehouse.connection.execute("insert into customers by name select ? as application_urn", [name])


def customers(connection):
    return [name for (name,) in connection.execute("select application_urn from customers order by 1").fetchall()]


def test_what_is_committed_is_published_and_an_open_reader_keeps_the_old_copy(settings):
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


def test_nothing_lies_beside_the_published_copy(settings):
    with open_warehouse(settings) as warehouse:
        warehouse.publish()
    assert [path.name for path in settings.published.parent.iterdir()] == [settings.published.name]


def test_what_an_earlier_publishing_left_is_overwritten(settings):
    settings.published.parent.mkdir(parents=True)
    (settings.published.parent / f".{settings.published.name}.fresh").write_bytes(b"left by a kill")
    with open_warehouse(settings) as warehouse:
        warehouse.publish()
    with duckdb.connect(settings.published, read_only=True) as published:
        assert customers(published) == []


def test_where_publishing_fails_the_warehouse_stays_open_and_the_old_copy_unharmed(settings):
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
def test_every_step_of_publishing_may_fail_without_harm(tmp_path, monkeypatch, step):
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
