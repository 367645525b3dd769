"""What keeps a demo and real jobs apart."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from jobrecon.errors import ConfigurationError

DEMO_FILE = "demo.env"
ENDED_API_URL = "http://demo.invalid"
"""The API of a demo that has ended: a reserved name that no request can reach."""
MUST_NOT_MIX = (
    "JOBRECON_APPLICATIONS",
    "JOBRECON_CLIENT_ID",
    "JOBRECON_CLIENT_SECRET",
    "JOBRECON_APPLICATION_URN",
    "JOBRECON_API_URL",
    "JOBRECON_TOKEN_URL",
    "JOBRECON_TASK_SOURCE_URL",
    "JOBRECON_WAREHOUSE",
    "JOBRECON_LANDING_URL",
    "JOBRECON_PUBLISHED",
    "JOBRECON_REPORTS",
    "JOBRECON_SMTP_URL",
    "JOBRECON_CHAT_URL",
)


def find_demo_file(home: Path) -> Path | None:
    """The settings of the demo whose home this is; None where it is not a demo's."""
    file = home / DEMO_FILE
    return file if file.is_file() else None


def refuse_mixing(demo_file: Path, environment: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` where the environment would bring real applications or addresses into a demo's home."""
    values = dotenv_values(demo_file)
    mixed = [name for name in MUST_NOT_MIX if environment.get(name) and environment[name] != values.get(name)]
    if mixed:
        raise ConfigurationError(
            f"{demo_file.parent} is a demo's home, with invented jobs; {', '.join(mixed)} would mix real ones into it. "
            "Nothing was changed. Set JOBRECON_HOME to a folder for the real ones, or unset the others."
        )


def refuse_ended_demo(home: Path, api_url: str) -> None:
    """Raise `ConfigurationError` for work that needs LinkedIn in the home of a demo that has ended."""
    if api_url == ENDED_API_URL:
        raise ConfigurationError(
            f"{home} is a demo's home, and its fake LinkedIn has ended. Nothing was changed. "
            "Run `jobrecon demo` for a new one, or set JOBRECON_HOME to a folder for your own jobs."
        )
