"""The commands that bring files in: `jobrecon tasks import` and `jobrecon notifications import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobrecon.cli.console import echo, err, exit_with_status, show_progress
from jobrecon.clock import utc_now
from jobrecon.errors import InputError
from jobrecon.settings import load_settings

if TYPE_CHECKING:
    from jobrecon.ingest import ImportResult

tasks = typer.Typer(no_args_is_help=True, help="Tasks: the operations requested from LinkedIn.")
notifications = typer.Typer(no_args_is_help=True, help="Notifications: webhook bodies from LinkedIn.")

Files = Annotated[list[Path], typer.Argument(help="One or more files.", metavar="FILE…")]


@tasks.command("import")
def tasks_import(files: Files) -> None:
    """Add task URNs from CSV, Parquet or (ND)JSON files. Safe to repeat: known tasks stay as they are.

    Example: `jobrecon tasks import exports/2026-11-21.csv`
    """
    from jobrecon.ingest import import_tasks
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings()
        applications = settings.load_applications()
        with open_warehouse(settings) as warehouse:
            _import_files(files, "tasks", lambda path, advance: import_tasks(warehouse, path, applications, utc_now(), advance))


@notifications.command("import")
def notifications_import(files: Files) -> None:
    """Add notification bodies that were landed elsewhere: NDJSON, one body a line, with or without its time of receipt.

    Example: `jobrecon notifications import landed.ndjson`, of lines such as `{"received_at": "2026-11-21T06:00:00Z", "body": {"type": "JOB_POSTING_STATUS", …}}`
    """
    from jobrecon.ingest import import_notifications
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings()
        with open_warehouse(settings) as warehouse:
            _import_files(files, "notifications", lambda path, advance: import_notifications(warehouse, path, utc_now(), advance))


def _import_files(files: list[Path], noun: str, import_file: Any) -> None:
    is_failed = False
    for path in files:
        done = 0
        with show_progress(f"{path.name}") as progress:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                progress(done, 0)

            try:
                result: ImportResult = import_file(path, advance)
            except InputError as error:
                echo(f"InputError: {error}", to=err)
                is_failed = True
                continue
        echo(f"{path}: {result.added:,} {noun} added, {result.known:,} known already, {result.rejected:,} rows rejected")
        for note in result.notes:
            echo(f"  {note}")
        for reason, count in sorted(result.reasons.items(), key=lambda item: -item[1]):
            echo(f"  rejected {count:,}: {reason}")
        if result.rejected:
            echo("  Rejected rows are kept in the table rejected_rows with file, line and reason; correct them and import the file again.")
    if is_failed:
        raise typer.Exit(1)
