"""One warehouse for all tests of the rules, emptied before each: opening one takes longer than a query."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from tests.findings.rows import clear


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home: Path = tmp_path_factory.mktemp("findings")
    with open_warehouse(Settings(home=home, applications=home / "applications.toml")) as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    """A real DuckDB file that holds the error catalog and nothing else."""
    return clear(opened)
