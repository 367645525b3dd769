"""What most tests need: settings over a temporary home with two applications, and a real warehouse in it."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from jobrecon.settings import Settings
from jobrecon.warehouse import Warehouse, open_warehouse

# How long an example takes, or the tables of all characters that a fresh clone makes first, is the machine's affair: no test fails by it.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")

APPLICATIONS = """
[[applications]]
urn = "urn:li:developerApplication:1001"
client_id = "78acme"
client_secrets = ["env:ACME_SECRET"]
customer = "Acme"
account_manager = "Dana Fox"
account_manager_email = "dana@example.com"

[[applications]]
urn = "urn:li:developerApplication:1002"
client_id = "78beta"
client_secrets = ["env:BETA_SECRET"]
customer = "Beta"
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything in a temporary home; two customers, of whom only Acme has an account manager."""
    applications = tmp_path / "applications.toml"
    applications.write_text(APPLICATIONS, encoding="utf-8")
    monkeypatch.setenv("ACME_SECRET", "acme-secret")
    monkeypatch.setenv("BETA_SECRET", "beta-secret")
    return Settings(home=tmp_path / "var", applications=applications)


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """An empty warehouse: a real DuckDB file, open for writing."""
    with open_warehouse(settings) as opened:
        yield opened
