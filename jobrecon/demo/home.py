"""The demo's home: a folder of its own, and the environment of a user who configured it."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jobrecon.demo.guard import DEMO_FILE, ENDED_API_URL, find_demo_file
from jobrecon.demo.partner import CUSTOMERS
from jobrecon.errors import ConfigurationError
from jobrecon.sandbox import SandboxApplication
from jobrecon.settings import Settings, load_settings


def clear_home(home: Path) -> None:
    """Empty the folder, or create it. Raises `ConfigurationError` where it holds files that are not a demo's, or cannot be written."""
    try:
        if home.exists() and any(home.iterdir()):
            if find_demo_file(home) is None:
                raise ConfigurationError(
                    f"{home} holds files that are not a demo's. Nothing was changed. Give the demo another folder: jobrecon demo --home DIR"
                )
            shutil.rmtree(home)
        home.mkdir(parents=True, exist_ok=True)
        write_demo_file(home, {})
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"The demo cannot write to {home}: {reason}. Give it a folder that can be written: jobrecon demo --home DIR"
        ) from None


@contextmanager
def configured(home: Path, applications: list[SandboxApplication], api_url: str) -> Iterator[Settings]:
    """The environment of a user who configured all this, until the block ends. Afterwards the demo's settings reach no API."""
    (home / "applications.toml").write_text(_write_applications(home, applications), encoding="utf-8")
    values = {
        "JOBRECON_APPLICATIONS": str((home / "applications.toml").absolute()),
        "JOBRECON_API_URL": api_url,
        "JOBRECON_TOKEN_URL": f"{api_url}/oauth/v2/accessToken",
        "JOBRECON_TIMEZONE": os.environ.get("JOBRECON_TIMEZONE") or "UTC",
    }
    write_demo_file(home, values)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_"))} | {
        "JOBRECON_HOME": str(home),
        # A Prefect of the demo's own, quiet, that records its task runs before it ends.
        "PREFECT_HOME": str((home / "prefect").absolute()),
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "DO_NOT_TRACK": "1",
    }
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield load_settings()
    finally:
        os.environ.clear()
        os.environ.update(before)
        ended = {"JOBRECON_API_URL": ENDED_API_URL, "JOBRECON_TOKEN_URL": f"{ENDED_API_URL}/oauth/v2/accessToken"}
        write_demo_file(home, values | ended)


def write_demo_file(home: Path, values: Mapping[str, str]) -> None:
    """Mark `home` as a demo's, with its settings."""
    lines = ["# Everything in this folder is invented. The next `jobrecon demo` removes it."]
    (home / DEMO_FILE).write_text("\n".join([*lines, *(f"{name}='{value}'" for name, value in values.items())]) + "\n", encoding="utf-8")


def _write_applications(home: Path, applications: list[SandboxApplication]) -> str:
    secrets = home / "secrets"
    secrets.mkdir(mode=0o700)
    entries = []
    for (customer, manager, _), application in zip(CUSTOMERS, applications, strict=True):
        file = secrets / application.client_id
        file.touch(mode=0o600)
        file.write_text(application.client_secrets[0], encoding="utf-8")
        entries.append(
            f'[[applications]]\nurn = "{application.urn}"\nclient_id = "{application.client_id}"\nclient_secrets = ["file:{file.absolute()}"]\n'
            f'customer = "{customer}"\naccount_manager = "{manager}"\naccount_manager_email = "{manager.split()[0].lower()}@example.com"\n'
        )
    return "\n".join(entries)
