"""What analysts get in Python: a read-only connection to the published copy, and DataFrames with sensible types."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import jobrecon
from jobrecon.errors import WarehouseError
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.warehouse.schema import list_tables, list_views

# DuckDB calls pandas in a way that pandas 4 will refuse.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:pandas.errors.Pandas4Warning")


@pytest.fixture
def published(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A published copy, where the environment says."""
    monkeypatch.setenv("JOBRECON_HOME", str(settings.home))
    with open_warehouse(settings) as warehouse:
        warehouse.connection.execute(
            "insert into job_tasks by name select 'a' as task_urn, 'app' as application_urn, 'job' as external_job_posting_id, "
            "'CREATE' as operation, 'PENDING' as state, timestamptz '2026-03-01 06:00:00+00' as requested_at, 3 as poll_count"
        )
        warehouse.publish()
    return settings


def test_every_published_table_and_view_becomes_a_data_frame_with_sensible_types(published: Settings) -> None:
    expected = {"INTEGER": "int", "BIGINT": "int", "FLOAT": "float", "DOUBLE": "float", "TIMESTAMP WITH TIME ZONE": "datetime64[us, utc]"}
    with jobrecon.open_published() as connection:
        for name in (*list_tables(), *list_views()):
            frame = connection.sql(f"from {name}").df()
            types = dict(connection.execute("select column_name, data_type from duckdb_columns() where table_name = ?", [name]).fetchall())
            assert set(types.values()) <= {*expected, "VARCHAR", "JSON", "BOOLEAN", "DATE"}, "integers that pandas would turn into floats"
            for column, type_ in types.items():
                dtype = str(frame.dtypes[column]).lower()
                assert dtype.startswith(expected.get(type_, dtype)), (name, column, type_, dtype)


def test_integers_stay_integers_beside_nulls_and_times_are_utc(published: Settings) -> None:
    with jobrecon.open_published() as connection:
        frame = connection.sql("select poll_count, requested_at from job_tasks union all select null, null").df()
    assert frame["poll_count"].tolist() == [3, pd.NA]
    assert frame["requested_at"][0] == datetime(2026, 3, 1, 6, tzinfo=UTC)


def test_the_connection_is_read_only_and_a_missing_copy_is_an_error(published: Settings) -> None:
    with jobrecon.open_published() as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("delete from runs")
    published.published.unlink()
    Path(published.warehouse).unlink()
    with pytest.raises(WarehouseError, match="There is no warehouse yet"):
        jobrecon.open_published()


def run_python(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def test_importing_the_package_imports_no_library() -> None:
    code = "import jobrecon, sys; print(*{'duckdb', 'pandas', 'pydantic', 'sqlalchemy', 'prefect'} & set(sys.modules))"
    assert run_python(code) == []


IN_TOKYO = """
from pathlib import Path
from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse
from jobrecon.warehouse.duckdb_file import connect

warehouse = Warehouse(connect(), Settings(_env_file=None, home=Path("unused")))
for each in (warehouse, warehouse.cursor()):
    print(*each.connection.execute("select current_setting('TimeZone'), timestamptz '2026-03-01 00:00:00'::varchar").fetchone())
"""


def test_every_connection_is_in_utc_wherever_the_machine_is() -> None:
    assert run_python(IN_TOKYO, TZ="Asia/Tokyo") == ["UTC", "2026-03-01", "00:00:00+00"] * 2
