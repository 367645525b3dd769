"""`jobrecon settings`: every setting in force."""

from jobrecon.cli.console import JsonOption, exit_with_status, print_json, print_table
from jobrecon.settings import describe_settings, load_settings


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
