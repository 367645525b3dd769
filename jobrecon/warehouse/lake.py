"""DuckLake: its address, opening it, the tagged snapshot that readers use, and what maintenance removes."""

import importlib.util
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from jobrecon.errors import ConfigurationError, WarehouseError
from jobrecon.secrets import redact
from jobrecon.settings import Settings, name_for_shard
from jobrecon.warehouse.lock import WriterLock, hold_database_lock, hold_file_lock
from jobrecon.warehouse.schema import quote

ALIAS = "jobrecon"
"""What an attached lake is called, whatever its catalog is."""
TAG = "finished run"
"""The commit message of the snapshot that a finished run ends with."""
CLEANUP_DELAY = timedelta(hours=1)
"""How long files that no snapshot needs any more are kept, for readers whose query has begun."""
_OPTION = r"(\w+)\s+('(?:[^']|'')*'|\w+)"
_ADDRESS = re.compile(rf"ducklake:(.+?)(?:\s*\(\s*({_OPTION}(?:\s*,\s*{_OPTION})*)\s*\))?\s*", re.DOTALL)


@dataclass(frozen=True)
class LakeAddress:
    """Where one shard's lake lies: its catalog, and the options it is attached with, as SQL."""

    catalog: str
    options: Mapping[str, str]

    @property
    def database(self) -> str | None:
        """The libpq address of a catalog in PostgreSQL; None for a catalog in a local file."""
        return self.catalog.removeprefix("postgres:") if self.catalog.startswith("postgres:") else None

    @property
    def file(self) -> Path:
        """The file of a local catalog."""
        return Path(self.catalog.removeprefix("sqlite:"))

    @property
    def data_path(self) -> str:
        return _unquote(self.options.get("DATA_PATH", ""))

    @property
    def schema(self) -> str:
        """The metadata schema of a catalog in PostgreSQL."""
        return _unquote(self.options.get("METADATA_SCHEMA", "public"))

    @property
    def name(self) -> str:
        """What errors call it: never with a password."""
        if self.database is None:
            return f"The DuckLake warehouse {self.file}"
        return f"The DuckLake warehouse in PostgreSQL (schema {self.schema})"

    def attach(self, alias: str = ALIAS, **more: str) -> str:
        """The statement that attaches it."""
        options = ", ".join(f"{name} {value}" for name, value in {**self.options, **more}.items())
        return f"attach {quote(f'ducklake:{self.catalog}')} as {alias}" + (f" ({options})" if options else "")


def read_lake_address(address: str, shard: str = "") -> LakeAddress:
    """Read `ducklake:CATALOG (OPTION 'value', …)` for one shard, which has a metadata schema and a data path of its own.

    Raises `ConfigurationError` where the address does not say where the data is.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ConfigurationError(
            "JOBRECON_WAREHOUSE is no DuckLake address: write ducklake:CATALOG (DATA_PATH 'folder/'). Nothing was changed."
        )
    lake = LakeAddress(match[1], {name.upper(): value for name, value in re.findall(_OPTION, match[2] or "")})
    if lake.database is not None and not lake.data_path:
        raise ConfigurationError(
            "JOBRECON_WAREHOUSE does not say where the lake's Parquet files lie. Nothing was changed. Write their folder or bucket behind "
            "the address: ducklake:postgres:dbname=lake host=db (DATA_PATH 's3://bucket/jobrecon/')."
        )
    if not shard:
        return lake
    catalog, own = lake.catalog, {}
    if lake.database is not None:
        schema = _unquote(lake.options.get("METADATA_SCHEMA", "jobrecon"))
        own["METADATA_SCHEMA"] = quote(f"{schema}_{shard.replace('-', '_')}")
    else:
        kind = "sqlite:" if catalog.startswith("sqlite:") else ""
        catalog = f"{kind}{name_for_shard(lake.file, shard)}"
    if lake.data_path:
        folder = lake.data_path.rstrip("/")
        if not urlsplit(folder).path.strip("/"):
            raise ConfigurationError(
                f"DATA_PATH {lake.data_path} leaves shards no folders of their own. Nothing was changed. Name a folder in it."
            )
        own["DATA_PATH"] = quote(f"{folder}-{shard}/")
    return LakeAddress(catalog, {**lake.options, **own})


def hold_lake_lock(lake: LakeAddress, wait_seconds: float) -> AbstractContextManager[WriterLock]:
    """The writer's lock of one shard's lake: across machines where the catalog is in PostgreSQL."""
    if lake.database is None:
        return hold_file_lock(Path(f"{lake.file}.lock"), lake.name, wait_seconds)
    return hold_database_lock(lake.database, lake.schema, lake.name, wait_seconds)


def prepare_lake(connection: duckdb.DuckDBPyConnection, lake: LakeAddress, settings: Settings) -> None:
    """Load what the lake needs into `connection`: extensions from their wheels, and for S3 the credentials."""
    load_extension(connection, "ducklake")
    for kind, name in (("sqlite:", "sqlite_scanner"), ("postgres:", "postgres_scanner")):
        if lake.catalog.startswith(kind):
            load_extension(connection, name)
    if not lake.data_path.startswith("s3://"):
        return
    if not (settings.s3_key_id and settings.s3_secret.get_secret_value()):
        raise ConfigurationError(
            "DATA_PATH is on S3, but JOBRECON_S3_KEY_ID or JOBRECON_S3_SECRET is not set. Nothing was changed. Set both."
        )
    load_extension(connection, "httpfs")
    values = {"key_id": settings.s3_key_id, "secret": settings.s3_secret.get_secret_value(), "region": settings.s3_region}
    addressing = ""
    if settings.s3_endpoint:
        endpoint = urlsplit(settings.s3_endpoint)
        values["endpoint"] = endpoint.netloc + endpoint.path.rstrip("/")
        addressing = f", url_style 'path', use_ssl {'true' if endpoint.scheme == 'https' else 'false'}"
    connection.execute(
        "create or replace temporary secret jobrecon_s3 (type s3, "
        + ", ".join(f"{name} {quote(value)}" for name, value in values.items())
        + f"{addressing}, scope {quote(lake.data_path)})"
    )


def attach_for_writing(connection: duckdb.DuckDBPyConnection, lake: LakeAddress, settings: Settings) -> None:
    """Attach the lake as the current catalog, made anew where it is missing. Raises `WarehouseError` in DuckLake's words."""
    prepare_lake(connection, lake, settings)
    more = {}
    if lake.catalog.startswith("sqlite:"):
        # Polling writes through a second connection, which a reader would lock out without the WAL.
        more["META_JOURNAL_MODE"] = "'WAL'"
        if not lake.data_path and not lake.file.exists():
            # DuckLake chooses a data path by itself only where DuckDB is the catalog.
            more["DATA_PATH"] = quote(f"{lake.file}.files")
    try:
        if lake.database is None:
            lake.file.absolute().parent.mkdir(parents=True, exist_ok=True)
        connection.execute(lake.attach(**more))
        connection.execute(f"use {ALIAS}")
    except (duckdb.Error, OSError) as error:
        raise _cannot_open(lake, error) from None


def attach_tagged(connection: duckdb.DuckDBPyConnection, lake: LakeAddress, settings: Settings, alias: str = ALIAS) -> bool:
    """Attach for reading the snapshot that the last finished run tagged; False where there is none yet.

    Readers of it never see half a run. Raises `WarehouseError` where the lake cannot be reached.
    """
    prepare_lake(connection, lake, settings)
    if lake.database is None and not lake.file.exists():
        return False
    more = {"READ_ONLY": "true"}
    try:
        # Attached twice: which snapshot to attach is only known from inside.
        try:
            connection.execute(lake.attach(alias, **more))
        except duckdb.InvalidInputException as error:
            # "… does not exist - and creating a new DuckLake is explicitly disabled"
            if "does not exist" not in str(error):
                raise
            return False
        version = find_tagged_snapshot(connection, alias)
        connection.execute(f"detach {alias}")
        if version is not None:
            connection.execute(lake.attach(alias, **more, SNAPSHOT_VERSION=str(version)))
        return version is not None
    except (duckdb.Error, OSError) as error:
        raise _cannot_open(lake, error) from None


def find_tagged_snapshot(connection: duckdb.DuckDBPyConnection, alias: str = ALIAS) -> int | None:
    """The snapshot of the last finished run."""
    query = "select max(snapshot_id) from ducklake_snapshots(?) where commit_message = ?"
    version: int | None = (connection.execute(query, [alias, TAG]).fetchone() or (None,))[0]
    return version


def tag_snapshot(connection: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Within the last transaction of a finished run: the snapshot that it commits is the one for readers."""
    connection.execute(f"call {ALIAS}.set_commit_message('jobrecon', '{TAG}', extra_info => ?)", [run_id])


def maintain_lake(connection: duckdb.DuckDBPyConnection, now: datetime, snapshot_days: float) -> tuple[int, int]:
    """Expire old snapshots, merge small files, rewrite those of deleted rows, delete files that nothing needs.

    The tagged snapshot and the latest always stay. Returns the numbers of expired snapshots and deleted files.
    """
    expired = connection.execute(
        "select snapshot_id from ducklake_snapshots(?) where snapshot_time < ? "
        "and snapshot_id not in (select max(snapshot_id) from ducklake_snapshots(?)) and snapshot_id is distinct from ? order by all",
        [ALIAS, now - timedelta(days=snapshot_days), ALIAS, find_tagged_snapshot(connection)],
    ).fetchall()
    if expired:
        connection.execute(f"call ducklake_expire_snapshots('{ALIAS}', versions => ?)", [[version for (version,) in expired]])
    connection.execute(f"call ducklake_flush_inlined_data('{ALIAS}')")
    connection.execute(f"call ducklake_merge_adjacent_files('{ALIAS}')")
    connection.execute(f"call ducklake_rewrite_data_files('{ALIAS}')")
    deleted = connection.execute(f"call ducklake_cleanup_old_files('{ALIAS}', older_than => ?)", [now - CLEANUP_DELAY]).fetchall()
    return len(expired), len(deleted)


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its wheel."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            f"The DuckDB extension {name} is not installed. Install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}."
        )
    file = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    connection.execute(f"load {quote(str(file))}")


def _cannot_open(lake: LakeAddress, error: Exception) -> WarehouseError:
    text = " ".join(redact(str(error)).split())
    return WarehouseError(f"{lake.name} cannot be opened: {text[:500]}. Nothing was changed. Check JOBRECON_WAREHOUSE.")


def _unquote(value: str) -> str:
    """An option's value as text; it may stand in quotes or not."""
    return value[1:-1].replace("''", "'") if value.startswith("'") else value
