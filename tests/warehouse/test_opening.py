"""Opening the warehouse: one writer at a time, a schema that only grows, comments on everything."""

import json
import os
import re
from pathlib import Path

import duckdb
import pytest

from jobrecon.errors import ConfigurationError, WarehouseError, WarehouseLocked
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_published, open_warehouse
from jobrecon.warehouse.connection import connect
from jobrecon.warehouse.lock import find_file_system, refuse_network_file_system
from jobrecon.warehouse.schema import apply_schema, describe_table, list_columns, list_tables

COMMENTS = "select table_name, column_name, data_type, comment from duckdb_columns() where database_name not in ('system', 'temp')"


def impatient(settings: Settings) -> Settings:
    return settings.model_copy(update={"lock_wait": 0.2})


def test_a_second_writer_waits_and_is_told_the_holder(settings: Settings, warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseLocked, match="is open for writing in process") as raised, open_warehouse(impatient(settings)):
        pass
    assert re.fullmatch(rf"process {os.getpid()} \(.+, since \d\d:\d\d:\d\d UTC\)", raised.value.holder)


def test_the_lock_is_released_with_its_holder(settings: Settings) -> None:
    for _ in range(2):
        with open_warehouse(impatient(settings)) as opened:
            holder = json.loads((settings.home / "warehouse.duckdb.lock").read_text(encoding="utf-8"))
            assert holder["pid"] == os.getpid()
            assert opened.count("tasks/select_pending_count", as_of=None) == 0


def test_a_block_that_raises_releases_the_warehouse(settings: Settings) -> None:
    with pytest.raises(RuntimeError), open_warehouse(settings):
        raise RuntimeError
    with open_warehouse(impatient(settings)):
        pass


def test_a_transaction_is_all_or_nothing(settings: Settings, warehouse: Warehouse) -> None:
    def interrupt() -> None:
        with warehouse.transaction():
            warehouse.connection.execute("insert into customers by name select 'a' as application_urn")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert warehouse.connection.execute("select count(*) from customers").fetchone() == (0,)
    with warehouse.transaction():
        warehouse.connection.execute("insert into customers by name select 'a' as application_urn")
    assert warehouse.cursor().connection.execute("select count(*) from customers").fetchone() == (1,)


def test_a_single_threaded_block_uses_one_core_even_where_it_raises(warehouse: Warehouse) -> None:
    def count_threads(each: Warehouse) -> object:
        return each.connection.execute("select current_setting('threads')").fetchone()

    def interrupt() -> None:
        with warehouse.single_threaded() as cursor:
            assert count_threads(cursor) == (1,)
            raise KeyboardInterrupt

    before = count_threads(warehouse)
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert count_threads(warehouse) == before


def test_every_table_and_column_has_its_comment_in_the_writers_file_and_the_published_copy(settings: Settings) -> None:
    expected = {(name, column, type_, text) for name, model in list_tables().items() for column, type_, text in list_columns(model)}
    with open_warehouse(settings) as warehouse:
        written = set(warehouse.connection.execute(COMMENTS).fetchall())
        warehouse.publish()
    with open_published(settings) as published:
        read = set(published.connection.execute(COMMENTS).fetchall())
        tables = dict(published.connection.execute("select table_name, comment from duckdb_tables()").fetchall())
    assert written == read
    tables_read = {(table, column, comment) for table, column, _, comment in read if table in list_tables()}
    assert tables_read == {(table, column, text) for table, column, _, text in expected}
    assert all(comment and comment.strip() for *_, comment in read)
    assert tables == {name: describe_table(model) for name, model in list_tables().items()}


def test_an_old_file_gets_missing_tables_and_columns_and_keeps_its_data(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute(
            "insert into customers by name select 'a' as application_urn, 'Acme' as customer, 5 as daily_call_limit"
        )
        before = warehouse.connection.execute(f"{COMMENTS} order by all").fetchall()
    with connect(settings.warehouse) as old:
        old.execute("alter table customers drop column account_manager")
        old.execute("alter table customers add column of_a_newer_version varchar default 'kept'")
        old.execute("drop table call_budget")
        old.execute("create table of_the_users_own as select 1 as one")
        old.execute("comment on column customers.customer is 'an older text'")
    with open_warehouse(settings) as warehouse:
        after = warehouse.connection.execute(f"{COMMENTS} order by all").fetchall()
        assert set(before) <= set(after)
        assert {row[:2] for row in set(after) - set(before)} == {("customers", "of_a_newer_version"), ("of_the_users_own", "one")}
        row = warehouse.connection.execute(
            "select customer, daily_call_limit, account_manager, of_a_newer_version from customers"
        ).fetchall()
        assert row == [("Acme", 5, None, "kept")]


def test_opening_again_writes_nothing(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute("checkpoint")
    before = (settings.home / "warehouse.duckdb").read_bytes()
    with open_warehouse(settings):
        pass
    assert (settings.home / "warehouse.duckdb").read_bytes() == before


def test_a_table_of_the_same_name_in_another_schema_does_not_count(settings: Settings) -> None:
    with connect() as connection:
        connection.execute("create schema other; create table other.customers (application_urn varchar)")
        apply_schema(connection)
        assert len(connection.execute("describe main.customers").fetchall()) == len(list_columns(list_tables()["customers"]))


def test_before_the_first_run_the_writers_file_is_read(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="There is no warehouse yet"), open_published(settings):
        pass
    with open_warehouse(settings):
        pass
    with open_published(settings) as warehouse:
        assert warehouse.run("timeline/select_as_of") == [(None,)]
        with pytest.raises(duckdb.Error, match="read-only"):
            warehouse.connection.execute("delete from runs")


MOUNTS = """overlay / overlay rw 0 0
/dev/sda1 /srv ext4 rw 0 0
server:/share /srv/share nfs4 rw 0 0
//server/my\\040share /srv/my\\040share cifs rw 0 0
/dev/sdb1 /srv/share/local ext4 rw 0 0
tmpfs /twice tmpfs rw 0 0
server:/twice /twice nfs rw 0 0
"""
PLACES = [
    ("/", "overlay"),
    ("/home/me/var", "overlay"),
    ("/srv", "ext4"),
    ("/srv/shared", "ext4"),
    ("/srv/share", "nfs4"),
    ("/srv/share/var/published", "nfs4"),
    ("/srv/share/local/var", "ext4"),
    ("/srv/my share/var", "cifs"),
    ("/twice/var", "nfs"),
]


@pytest.mark.parametrize(("place", "kind"), PLACES, ids=[place for place, _ in PLACES])
def test_the_file_system_of_a_path_is_that_of_the_deepest_mount(place: str, kind: str) -> None:
    assert find_file_system(place, MOUNTS) == kind


def test_a_network_file_system_is_refused_as_a_wrong_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_network_file_system(tmp_path)
    monkeypatch.setattr("jobrecon.warehouse.lock.find_file_system", lambda place, mounts: "nfs4")
    with pytest.raises(ConfigurationError, match="network file system") as raised:
        refuse_network_file_system(tmp_path)
    assert raised.value.exit_status == 2
