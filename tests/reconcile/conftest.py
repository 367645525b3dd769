"""One warehouse for all tests of the plan, emptied before each: opening takes longer than querying."""

from collections.abc import Iterator

import pytest

from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse
from tests.findings.rows import clear


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("polling")
    with open_warehouse(Settings(home=home, applications=home / "applications.toml")) as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    """A real DuckDB file that holds the error catalog and nothing else."""
    return clear(opened)
