"""`jobrecon settings`: every setting in force."""

import json
import os
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr

from jobrecon.cli.console import JsonOption, exit_with_status, print_json, print_table
from jobrecon.demo.guard import find_demo_file
from jobrecon.secrets import MASK, redact
from jobrecon.settings import PREFIX, Settings, load_settings


def settings(as_json: JsonOption = False) -> None:
    """Every setting in force and where it comes from: default, `.env` or environment. Secrets are hidden.

    Example: `jobrecon settings`
    """
    with exit_with_status():
        rows = describe_settings(load_settings())
        if as_json:
            print_json({"settings": [{"variable": variable, "value": value, "origin": origin} for variable, value, origin in rows]})
        else:
            print_table("", ["variable", "value", "from"], [list(row) for row in rows])


def describe_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """(variable, value without secrets, origin) of every setting; the origin is `environment`, `.env` (a demo's own file) or `default`."""
    environment = {name.upper() for name, value in os.environ.items() if value}
    path = find_demo_file(settings.home) or Path(".env")
    file = {name.upper() for name, value in dotenv_values(path).items() if value}
    rows = []
    for name in Settings.model_fields:
        variable, value = f"{PREFIX}{name.upper()}", getattr(settings, name)
        origin = "environment" if variable in environment else path.name if variable in file else "default"
        rows.append((variable, write_value(value), origin))
    return rows


def write_value(value: Any) -> str:
    """A setting's value as it would be written, without secrets."""
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return json.dumps(value)
    return "" if value is None else redact(str(value))
