"""A lake in a real PostgreSQL, its data in folders or an S3 store: lock, tagged snapshots, maintenance."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
import duckdb
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from jobrecon.clock import utc_now
from jobrecon.errors import WarehouseError, WarehouseLocked
from jobrecon.reconcile.maintenance import maintain
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_published, open_warehouse
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.lake import attach_tagged, find_tagged_snapshot, read_lake_address

HOLD = """
import sys
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
with open_warehouse(Settings(_env_file=None)) as warehouse:
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(postgres_uri: str) -> str:
    """A new database on the server."""
    name = f"lake_{uuid4().hex}"
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return postgres_uri.replace("/postgres?", f"/{name}?")


@pytest.fixture
def lake(database: str, tmp_path: Path) -> Settings:
    address = f"ducklake:postgres:{database} (DATA_PATH '{tmp_path}/data/')"
    return Settings(_env_file=None, home=tmp_path / "var", warehouse=address, lock_wait=0.5)


def for_shard(settings: Settings, shard: str) -> Settings:
    return settings.model_copy(update={"shard": shard})


START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def add_run(warehouse: Warehouse, number: int, *, is_finished: bool = True) -> None:
    """Rows of two tables in transactions of their own; only the last one is tagged, where the run is finished."""
    rows = "select 'urn-' || range as application_urn from range(?)"
    warehouse.connection.execute(f"insert into customers by name {rows}", [20])
    with warehouse.transaction():
        as_of = START + timedelta(minutes=number)
        warehouse.connection.execute(
            "insert into runs by name select ?::varchar as run_id, ? as state, ?::timestamptz as as_of, ?::timestamptz as started_at, "
            "?::timestamptz as finished_at",
            [str(number), "COMPLETED" if is_finished else "RUNNING", as_of, as_of, as_of if is_finished else None],
        )
        if is_finished:
            warehouse.tag_snapshot(str(number))


def count_rows(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    (customers,) = connection.execute("select count(*) from customers").fetchone() or (0,)
    (runs,) = connection.execute("select count(*) from runs").fetchone() or (0,)
    return customers, runs


def count_files(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


@pytest.fixture
def holder(lake: Settings) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the lake open for writing."""
    environment = os.environ | {"JOBRECON_HOME": str(lake.home), "JOBRECON_WAREHOUSE": lake.warehouse}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_of_a_shard_names_host_and_process_and_follows_a_killed_one(
    lake: Settings, holder: "subprocess.Popen[str]"
) -> None:
    with (
        pytest.raises(WarehouseLocked, match=rf"process {holder.pid} on {socket.gethostname()[:24]} .*since \d\d:\d\d:\d\d UTC"),
        open_warehouse(lake),
    ):
        pass
    with open_warehouse(for_shard(lake, "b")) as other:
        assert count_rows(other.connection) == (0, 0)
    holder.kill()
    holder.wait()
    with open_warehouse(lake.model_copy(update={"lock_wait": 30})) as warehouse:
        assert count_rows(warehouse.connection) == (0, 0)


def test_a_writer_that_lost_its_lock_writes_no_more(lake: Settings, database: str) -> None:
    with open_warehouse(lake) as warehouse:
        add_run(warehouse, 1)
        with psycopg.connect(database, autocommit=True) as server:
            server.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
        with pytest.raises(WarehouseError, match="The lock of The DuckLake warehouse in PostgreSQL"), warehouse.transaction():
            pass


def test_readers_see_the_last_finished_run_whole_and_nothing_of_the_next(lake: Settings) -> None:
    with pytest.raises(WarehouseError, match="holds no finished run yet"), open_published(lake):
        pass
    with open_warehouse(lake) as warehouse:
        add_run(warehouse, 1)
        with open_published(lake) as reader:
            for number in (2, 3):
                add_run(warehouse, number, is_finished=False)
                with open_published(lake) as another:
                    assert count_rows(reader.connection) == count_rows(another.connection) == (20, 1)
            add_run(warehouse, 4)
            assert count_rows(reader.connection) == (20, 1)
        with open_published(lake) as reader:
            assert count_rows(reader.connection) == (80, 4)
            with pytest.raises(duckdb.Error, match="read-only"):
                reader.connection.execute("delete from runs")


def test_shards_do_not_see_each_other(lake: Settings, tmp_path: Path) -> None:
    for shard, runs in (("", 1), ("b", 2), ("c-1", 3)):
        with open_warehouse(for_shard(lake, shard)) as warehouse:
            for number in range(runs):
                add_run(warehouse, number)
    for shard, runs in (("", 1), ("b", 2), ("c-1", 3)):
        with open_published(for_shard(lake, shard)) as reader:
            assert count_rows(reader.connection) == (20 * runs, runs)
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("data")} == {"data", "data-b", "data-c-1"}


def test_maintenance_bounds_files_and_snapshots_and_a_reader_of_the_tagged_snapshot_reads_on(lake: Settings, tmp_path: Path) -> None:
    with open_warehouse(lake) as warehouse:
        for number in range(50):
            add_run(warehouse, number)
        add_run(warehouse, 50, is_finished=False)
    files = count_files(tmp_path / "data")
    assert files >= 50
    with open_published(lake) as reader:
        assert count_rows(reader.connection) == (1000, 50)
        week = maintain(lake, utc_now())
        assert (week.snapshots, week.files) == (0, 0)
        brief = lake.model_copy(update={"snapshot_days": 0})
        # Later by the time for which files stay that a running query may need.
        result = maintain(brief, utc_now() + timedelta(hours=2))
        assert result.snapshots > 100
        assert result.files > 0
        assert "snapshots of the lake expired" in result.sentence
        assert count_rows(reader.connection) == (1000, 50)
    assert count_files(tmp_path / "data") < 10
    with open_published(lake) as reader:
        assert count_rows(reader.connection) == (1000, 50)
    with open_warehouse(lake) as warehouse:
        assert count_rows(warehouse.connection) == (1020, 51)
        assert warehouse.connection.execute("select count(*) from ducklake_snapshots('jobrecon')").fetchone() <= (10,)  # type: ignore[operator]


def test_a_run_of_an_unsharded_lake_publishes_its_tagged_snapshot_as_a_file(lake: Settings) -> None:
    with open_warehouse(lake) as warehouse:
        add_run(warehouse, 1)
        assert warehouse.publish() == lake.published
    with connect(lake.published, read_only=True) as published:
        assert count_rows(published) == (20, 1)


@pytest.fixture
def bucket() -> Iterator[str]:
    """The address of an S3 store with the bucket `lake`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=address, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
    client.create_bucket(Bucket="lake")
    yield address
    server.stop()


def test_data_on_s3_are_written_and_read_with_the_credentials_of_the_settings(
    database: str, tmp_path: Path, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(
        _env_file=None,
        home=tmp_path / "var",
        warehouse=f"ducklake:postgres:{database} (DATA_PATH 's3://lake/jobrecon/')",
        s3_key_id="key-of-jobrecon",
        s3_secret="sec'ret-of-jobrecon",
        s3_endpoint=bucket,
    )
    for shard in ("", "b"):
        with open_warehouse(for_shard(settings, shard)) as warehouse:
            add_run(warehouse, 1)
    with open_published(for_shard(settings, "b")) as reader:
        assert count_rows(reader.connection) == (20, 1)
        assert reader.connection.execute("from glob('s3://lake/jobrecon-b/**')").fetchall()
    assert "ret-of-jobrecon" not in caplog.text + repr(settings)


def test_a_bucket_that_is_missing_is_an_error_without_the_secret(database: str, tmp_path: Path, bucket: str) -> None:
    settings = Settings(
        _env_file=None,
        home=tmp_path / "var",
        warehouse=f"ducklake:postgres:{database} (DATA_PATH 's3://nowhere/jobrecon/')",
        s3_key_id="key-of-jobrecon",
        s3_secret="secret-of-jobrecon",
        s3_endpoint=bucket,
    )
    with pytest.raises(Exception, match="nowhere") as raised, open_warehouse(settings) as warehouse:
        add_run(warehouse, 1)
    assert "secret-of-jobrecon" not in str(raised.value)


def test_a_lake_that_does_not_exist_is_not_made_by_its_readers(lake: Settings) -> None:
    address = read_lake_address(lake.warehouse, "nobody")
    with connect() as connection:
        assert attach_tagged(connection, address, lake) is False
    with connect() as connection:
        assert attach_tagged(connection, address, lake) is False
    with open_warehouse(lake) as warehouse:
        assert find_tagged_snapshot(warehouse.connection) is None
