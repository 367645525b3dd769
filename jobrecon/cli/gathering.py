"""The command that joins shards: `jobrecon gather`."""

import typer

from jobrecon.cli.console import echo, err, exit_with_status
from jobrecon.clock import utc_now
from jobrecon.settings import load_settings


def gather() -> None:
    """Join what the shards published into the one copy that analysts and reports open.

    A shard that is missing or stale is named, and the exit status is 1; the others are joined all the same. Example:
    `jobrecon gather`
    """
    from jobrecon.reconcile.gather import gather as join

    with exit_with_status():
        settings = load_settings()
        result = join(settings, utc_now())
        echo(f"{result.sentence}. Published: {settings.published}")
        for reason in result.incomplete_reasons:
            echo(f"INCOMPLETE: {reason}", "bold red", err)
        if result.incomplete_reasons:
            raise typer.Exit(1)
