"""A DuckLake warehouse: the same statements and the same published tables as with a DuckDB file."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyarrow.parquet import read_table

from jobrecon.errors import ConfigurationError, WarehouseError
from jobrecon.ingest import import_notifications, import_tasks
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_published, open_warehouse
from jobrecon.warehouse.lake import read_lake_address
from jobrecon.warehouse.schema import list_tables, list_views
from jobrecon.webhook.server import serve_in_thread

ACME = "urn:li:developerApplication:1001"
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOURS = (3, 30)
# Ids and the machine's clock differ between runs.
VOLATILE = {"runs": ("run_id", "started_at", "finished_at", "landing_id"), "task_status_changes": ("run_id",)}
Tables = dict[str, list[tuple[Any, ...]]]


def reconcile_twice(settings: Settings, world: World, tasks: Path, notifications: Path) -> Tables:
    """Import and reconcile at each of the hours; returns the published tables and views, which are exported to Parquet too."""
    settings = settings.model_copy(update={"parquet": str(settings.home / "parquet")})
    with open_warehouse(settings) as warehouse:
        assert import_tasks(warehouse, tasks, settings.load_applications(), START).rejected == 1
        assert import_notifications(warehouse, notifications, START).added == 2
    for hours in HOURS:
        now = START + timedelta(hours=hours)
        world.seconds = now.timestamp()
        with open_reconciliation(settings, now, clock=partial(datetime.fromtimestamp, now.timestamp(), UTC)) as run:
            run.pull()
            asyncio.run(run.poll())
            run.ingest_notifications()
            run.update_findings()
            run.publish()
            assert run.summary.state == "COMPLETED", run.summary.incomplete_reasons
    with open_published(settings) as published:
        tables: Tables = {}
        for name in (*list_tables(), *list_views()):
            volatile = VOLATILE.get(name)
            columns = f"* exclude ({', '.join(volatile)})" if volatile else "*"
            tables[name] = published.connection.execute(f"select {columns} from {name} order by all").fetchall()
            assert read_table(settings.home / "parquet" / f"{name}.parquet").num_rows == len(tables[name])
        tables["comments"] = published.connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() where not internal and table_name in (select table_name from duckdb_tables()) order by all"
        ).fetchall()
        return tables


@pytest.fixture
def reconcile_with(tmp_path: Path) -> Iterator[Callable[..., Tables]]:
    """Reconciles the same two days with any warehouse."""
    world = World([SandboxApplication(ACME, "78acme", ["acme-secret"])], START, seed=5)
    state = world.applications[ACME]
    rows = []
    for number in range(60):
        operation = ("CREATE", "CREATE", "UPDATE", "CLOSE")[number % 4]
        places = ("Bergen, Norway",) if number % 10 == 0 else None
        rows.append(
            world.task_row(state, world.submit(state, external_id=f"job-{number % 45}", operation=operation, other_locations=places))
        )
    tasks, notifications = tmp_path / "tasks.ndjson", tmp_path / "bodies.ndjson"
    tasks.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n", encoding="utf-8")
    bodies = [
        {
            "received_at": (START + timedelta(hours=2)).isoformat(),
            "body": {
                "type": "JOB_POSTING_STATUS",
                "developerApplicationUrn": ACME,
                "externalJobPostingId": job,
                "listingStatus": "NOT_LISTED",
            },
        }
        for job in ("job-0", "job-nobody-knows")
    ]
    notifications.write_text("".join(json.dumps(each) + "\n" for each in bodies), encoding="utf-8")

    with serve_in_thread(create_app(world)) as url:

        def reconcile(name: str, address: str = "") -> Tables:
            (tmp_path / name).mkdir()
            settings = Settings(
                home=tmp_path / name,
                warehouse=address,
                api_url=url,
                token_url=f"{url}/oauth/v2/accessToken",
                application_urn=ACME,
                client_id="78acme",
                client_secret="acme-secret",
                concurrency=1,
            )
            return reconcile_twice(settings, world, tasks, notifications)

        yield reconcile


def test_a_lake_gives_the_same_published_tables_as_a_file(reconcile_with: Callable[..., Tables], tmp_path: Path) -> None:
    expected = reconcile_with("file")
    assert len(expected["findings"]) > 5
    assert len(expected["job_tasks"]) > 60
    lake = reconcile_with("lake", f"ducklake:sqlite:{tmp_path / 'lake' / 'catalog.sqlite'}")
    for name, rows in expected.items():
        assert lake[name] == rows, name
    assert (tmp_path / "lake" / "catalog.sqlite.files").is_dir()


@contextmanager
def opened(tmp_path: Path, address: str) -> Iterator[Warehouse]:
    with open_warehouse(Settings(home=tmp_path / "var", warehouse=address)) as warehouse:
        yield warehouse


def test_the_data_path_can_be_set_in_ducklakes_syntax(tmp_path: Path) -> None:
    address = f"ducklake:sqlite:{tmp_path / 'catalog.sqlite'} (DATA_PATH '{tmp_path / 'data'}')"
    for count in (0, 1):
        with opened(tmp_path, address) as warehouse:
            assert warehouse.connection.execute("select count(*) from customers").fetchone() == (count,)
            warehouse.connection.execute("insert into customers by name select 'a' as application_urn")
    with opened(tmp_path, f"ducklake:sqlite:{tmp_path / 'catalog.sqlite'}") as warehouse:
        assert warehouse.connection.execute("select count(*) from customers").fetchone() == (2,)


def test_the_catalog_can_be_a_duckdb_file(tmp_path: Path) -> None:
    with opened(tmp_path, f"ducklake:{tmp_path / 'catalog.ducklake'}") as warehouse:
        assert warehouse.cursor().connection.execute("select count(*) from customers").fetchone() == (0,)


PASSWORDS = [
    "ducklake:postgres:host=127.0.0.1 port=1 password=hush-hush (DATA_PATH '/nowhere/')",
    "ducklake:postgres:postgresql://jobrecon:hush-hush@127.0.0.1:1/lake (DATA_PATH '/nowhere/')",
    "ducklake:postgres:host=127.0.0.1 port=1 sslpassword='hush-hush' (METADATA_SCHEMA 'jr', DATA_PATH '/nowhere/')",
]


@pytest.mark.parametrize("address", PASSWORDS)
def test_a_lake_that_cannot_be_reached_is_an_error_in_the_databases_words_without_the_password(tmp_path: Path, address: str) -> None:
    with pytest.raises(WarehouseError, match=r"DuckLake warehouse in PostgreSQL.*Connection refused") as raised, opened(tmp_path, address):
        pass
    assert "hush-hush" not in str(raised.value)
    settings = Settings(home=tmp_path / "var", warehouse=address)
    with pytest.raises(WarehouseError, match=r"cannot be opened:.*Connection refused") as raised, open_published(settings):
        pass
    assert "hush-hush" not in str(raised.value)


def test_a_lake_whose_folder_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="/dev/null cannot be written"), opened(tmp_path, "ducklake:sqlite:/dev/null/x"):
        pass


def test_ducklakes_own_words_reach_the_reader(tmp_path: Path) -> None:
    address = f"ducklake:sqlite:{tmp_path / 'catalog.sqlite'}"
    with opened(tmp_path, f"{address} (DATA_PATH '{tmp_path / 'data'}/')"):
        pass
    with pytest.raises(WarehouseError, match="does not match existing data path"), opened(tmp_path, f"{address} (DATA_PATH '/else/')"):
        pass


ADDRESSES = [
    ("ducklake:postgres:dbname=lake host=db", "does not say where the lake's Parquet files lie"),
    ("ducklake:postgres:dbname=lake (METADATA_SCHEMA 'jr')", "does not say where the lake's Parquet files lie"),
    ("ducklake:", "no DuckLake address"),
    ("ducklake:postgres:dbname=lake (DATA_PATH 's3://bucket')", "leaves shards no folders of their own"),
]


@pytest.mark.parametrize(("address", "problem"), ADDRESSES)
def test_an_address_that_says_too_little_is_a_wrong_setting(address: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read_lake_address(address, "b")


def test_data_on_s3_without_credentials_is_a_wrong_setting(tmp_path: Path) -> None:
    address = f"ducklake:sqlite:{tmp_path / 'catalog.sqlite'} (DATA_PATH 's3://bucket/lake/')"
    with pytest.raises(ConfigurationError, match="JOBRECON_S3_KEY_ID or JOBRECON_S3_SECRET is not set"), opened(tmp_path, address):
        pass


SHARD_ADDRESSES = [
    (
        "ducklake:postgres:dbname=lake host=db (DATA_PATH 's3://bucket/lake/')",
        "attach 'ducklake:postgres:dbname=lake host=db' as jobrecon (DATA_PATH 's3://bucket/lake-b-1/', METADATA_SCHEMA 'jobrecon_b_1')",
    ),
    (
        "ducklake:postgres:dbname=lake (metadata_schema 'jr', DATA_PATH '/srv/o''clock', ENCRYPTED true)",
        "attach 'ducklake:postgres:dbname=lake' as jobrecon (METADATA_SCHEMA 'jr_b_1', DATA_PATH '/srv/o''clock-b-1/', ENCRYPTED true)",
    ),
    ("ducklake:sqlite:/srv/a (1)/c.sqlite", "attach 'ducklake:sqlite:/srv/a (1)/c-b-1.sqlite' as jobrecon"),
    ("ducklake:/srv/100%/c?#.ducklake", "attach 'ducklake:/srv/100%/c?#-b-1.ducklake' as jobrecon"),
]


@pytest.mark.parametrize(("address", "statement"), SHARD_ADDRESSES)
def test_each_shard_has_a_catalog_and_a_data_path_of_its_own(address: str, statement: str) -> None:
    assert read_lake_address(address, "b-1").attach() == statement


def test_quotes_in_a_path_are_escaped() -> None:
    lake = read_lake_address("ducklake:sqlite:/nowhere/o'clock.sqlite (DATA_PATH '/data')")
    assert lake.attach() == "attach 'ducklake:sqlite:/nowhere/o''clock.sqlite' as jobrecon (DATA_PATH '/data')"


def test_options_of_an_address_mean_the_same_with_quotes_and_without() -> None:
    plain = read_lake_address("ducklake:postgres:dbname=lake (DATA_PATH lake, METADATA_SCHEMA sales)", "b")
    quoted = read_lake_address("ducklake:postgres:dbname=lake (DATA_PATH 'lake', METADATA_SCHEMA 'sales')", "b")
    assert (plain.data_path, plain.schema) == (quoted.data_path, quoted.schema) == ("lake-b/", "sales_b")
