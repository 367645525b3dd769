"""Opening the warehouse: one writer at a time, a schema that only grows, comments on everything."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, WarehouseError, WarehouseLocked
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_published, open_warehouse
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.lock import find_file_system, hold_file_lock, refuse_network_file_system
from jobrecon.warehouse.parquet import export_parquet
from jobrecon.warehouse.schema import VERSION, apply_schema, describe_table, list_columns, list_tables
from jobrecon.warehouse.statements import PACKAGE
from tests.cli.test_breaking_off import files_limited_to

COMMENTS = "select table_name, column_name, data_type, comment from duckdb_columns() where database_name not in ('system', 'temp')"


def impatient(settings: Settings) -> Settings:
    return settings.model_copy(update={"lock_wait": 0.2})


def test_a_second_writer_waits_and_is_told_the_holder(settings: Settings, warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseLocked, match="is open for writing in process") as raised, open_warehouse(impatient(settings)):
        pass
    assert re.fullmatch(rf"process {os.getpid()} on \S+ \(.+\), since \d\d:\d\d:\d\d UTC", raised.value.holder)


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


def test_a_typo_in_a_statement_fails_at_the_next_start(tmp_path: Path) -> None:
    """Statements are bound once for each version of them: in a checkout that changes, with the first change."""
    for name in ("jobrecon", "models", "sql"):
        shutil.copytree(PACKAGE.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    program = "from jobrecon.settings import Settings; from jobrecon.warehouse import open_warehouse\nwith open_warehouse(Settings()): pass"

    def start() -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "JOBRECON_HOME": str(tmp_path / "home")}
        return subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    assert [start().returncode, start().returncode] == [0, 0]
    statement = tmp_path / "sql" / "tasks" / "select_pending_count.sql"
    text = statement.read_text()
    statement.write_text(text.replace("job_tasks", "job_taks"))
    for _ in range(2):
        assert "sql/tasks/select_pending_count.sql: Catalog Error" in start().stderr
    statement.write_text(text)
    assert start().returncode == 0
    model = tmp_path / "models" / "task.py"
    model.write_text(model.read_text().replace("    poll_count:", "    polled_times:"))
    assert "Binder Error" in start().stderr


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


def test_a_warehouse_of_a_newer_version_is_refused_by_number_and_left_unchanged(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        assert warehouse.connection.execute("select value from warehouse_info where name = 'schema_version'").fetchall() == [
            (str(VERSION),)
        ]
        warehouse.connection.execute("update warehouse_info set value = '99' where name = 'schema_version'")
        warehouse.connection.execute("drop table call_budget")
    with pytest.raises(WarehouseError, match=f"its tables have version 99, this program knows {VERSION}"), open_warehouse(settings):
        pass
    with connect(settings.warehouse) as connection:
        assert ("call_budget",) not in connection.execute("show tables").fetchall()


CHANGES = [
    ("alter table job_tasks rename column task_urn to urn", "job_tasks has no column task_urn"),
    ("alter table job_tasks alter column poll_count type varchar", "job_tasks.poll_count is VARCHAR, must be INTEGER"),
    ("drop view open_findings; create table open_findings as select 1 as one", "open_findings is a table, must be a view"),
    ("drop table customers; create view customers as select 'a' as application_urn", "customers is a view, must be a table"),
]


@pytest.mark.parametrize(("change", "problem"), CHANGES, ids=["a renamed key", "another type", "a table for a view", "a view for a table"])
def test_changed_tables_are_one_clear_error_and_left_unchanged(settings: Settings, change: str, problem: str) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute("drop view time_to_settle")
        warehouse.connection.execute(change)
    with pytest.raises(WarehouseError, match=re.escape(problem)), open_warehouse(settings):
        pass
    with connect(settings.warehouse) as connection:
        assert "time_to_settle" not in {name for (name,) in connection.execute("show tables").fetchall()}


@pytest.mark.parametrize("size", [0, 100, 4096, 12287])
def test_a_file_that_a_full_disk_left_unfinished_is_made_anew(settings: Settings, size: int) -> None:
    path = Path(settings.warehouse)
    with open_warehouse(settings):
        pass
    unfinished = path.read_bytes()[:size]
    for content in (unfinished, bytes(size)):
        path.write_bytes(content)
        with open_warehouse(settings) as warehouse:
            assert warehouse.count("tasks/select_pending_count", as_of=utc_now()) == 0
    # Beside a log the file has had content.
    path.write_bytes(unfinished)
    path.with_name(path.name + ".wal").write_bytes(b"something")
    with pytest.raises(WarehouseError, match="cannot be opened"), open_warehouse(settings):
        pass
    assert path.read_bytes() == unfinished


def test_a_file_that_is_cut_or_damaged_opens_or_says_so(settings: Settings) -> None:
    path, chance = Path(settings.warehouse), random.Random(7)
    with open_warehouse(settings):
        pass
    whole, refusals = path.read_bytes(), set()
    for number in range(24):
        place = chance.randrange(12_288, len(whole))
        path.write_bytes(whole[:place] if number % 2 else whole[:place] + chance.randbytes(4096) + whole[place + 4096 :])
        try:
            with open_warehouse(settings):
                pass
        except WarehouseError as error:
            refusals.add(str(error).split(":")[0])
    assert "The warehouse failed" in refusals


@pytest.mark.parametrize("name", ["it's", 'a "b"', "a#b", "a%20b", "a (b)", "a;b", "ä ö", "{a}", "a=b"])
def test_any_character_may_stand_in_the_path_of_the_home(tmp_path: Path, name: str) -> None:
    settings = Settings(_env_file=None, home=tmp_path / name, parquet=str(tmp_path / name / "parquet"))
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute("insert into customers by name select 'a' as application_urn")
        export_parquet(warehouse, Path(settings.parquet))
        warehouse.publish()
    with open_published(settings) as published:
        assert published.connection.execute("select count(*) from customers").fetchone() == (1,)
    assert {path.name for path in settings.home.iterdir()} == {"warehouse.duckdb", "warehouse.duckdb.lock", "published", "parquet"}
    assert (settings.home / "parquet" / "customers.parquet").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_question_mark_in_the_path_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, warehouse=str(tmp_path / "a?b" / "warehouse.duckdb"))
    with pytest.raises(ConfigurationError, match="question mark") as raised, open_warehouse(settings):
        pass
    assert raised.value.exit_status == 2
    assert not list(settings.home.glob("**/*.duckdb*[!k]"))


FATAL = """
import resource, sys
from pathlib import Path
from jobrecon.errors import WarehouseInvalidated
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse

with open_warehouse(Settings(_env_file=None, home=Path(sys.argv[1]))) as warehouse:
    warehouse.connection.execute("create table of_somebody as select range from range(100_000)")
    warehouse.checkpoint()
    warehouse.connection.execute("update of_somebody set range = range + 1")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    for _ in range(2):
        try:
            warehouse.checkpoint()
        except WarehouseInvalidated as error:
            print(error)
"""


def test_after_a_fatal_error_of_duckdb_the_process_can_only_end_and_the_next_one_recovers(settings: Settings) -> None:
    command = [sys.executable, "-c", FATAL, str(settings.home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert re.match(r"The warehouse failed: .*File too large.*this process can no longer use it", lines[0])
    assert done.stderr == ""
    with open_warehouse(settings) as warehouse:
        assert warehouse.connection.execute("select count(*), min(range) from of_somebody").fetchone() == (100_000, 1)


def test_a_table_that_is_taken_away_while_it_is_open_is_an_error_that_says_so(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute("drop table job_tasks cascade")
        with pytest.raises(WarehouseError, match=r"job_tasks does not exist.*changed or replaced while it was open"):
            warehouse.count("tasks/select_pending_count", as_of=utc_now())


def test_the_lock_holds_on_a_full_disk(tmp_path: Path) -> None:
    lock_file = tmp_path / "warehouse.duckdb.lock"
    with (
        files_limited_to(0),
        hold_file_lock(lock_file, "warehouse.duckdb", 0),
        pytest.raises(WarehouseLocked, match="another process"),
        hold_file_lock(lock_file, "warehouse.duckdb", 0),
    ):
        pass
