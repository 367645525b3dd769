"""The commands that bring files in, and the one that lists what was refused."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobrecon.cli.console import JsonOption, ShardOption, echo, err, exit_with_status, print_json, show_progress
from jobrecon.cli.settings import describe_settings
from jobrecon.clock import utc_now
from jobrecon.errors import ConfigurationError, InputError
from jobrecon.settings import Settings, load_settings

if TYPE_CHECKING:
    from jobrecon.ingest import ImportResult

tasks = typer.Typer(no_args_is_help=True, help="Tasks: the operations requested from LinkedIn.")
notifications = typer.Typer(no_args_is_help=True, help="Notifications: webhook bodies from LinkedIn.")

MAX_REASONS = 10
OF_A_DEPLOYMENT = {"JOBRECON_HOME", "JOBRECON_WAREHOUSE", "JOBRECON_LANDING_URL", "JOBRECON_CLIENT_ID"}
"""Settings that say where the warehouse is meant to be, or whose it is."""

Files = Annotated[list[Path], typer.Argument(help="One or more files; - for standard input.", metavar="FILE…")]
Map = Annotated[
    list[str] | None, typer.Option("--map", help="Our column and the name the file gives it; may be repeated.", metavar="column=name")
]
Zone = Annotated[str | None, typer.Option("--timezone", help="Zone of moments without an offset. Default: UTC.", metavar="ZONE")]
DateFormat = Annotated[
    str | None, typer.Option("--date-format", help="How moments are written, such as '%m/%d/%Y %H:%M'.", metavar="FORMAT")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Encoding of text files, such as latin-1.", metavar="NAME")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and count only; change nothing.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if any row is rejected.")]
Create = Annotated[bool, typer.Option("--create", help="Begin a new warehouse in a folder where there is nothing yet.")]


@tasks.command("import")
def tasks_import(
    files: Files,
    mapping: Map = None,
    timezone: Zone = None,
    date_format: DateFormat = None,
    encoding: Encoding = "utf-8",
    is_dry_run: DryRun = False,
    is_strict: Strict = False,
    is_created: Create = False,
    shard: ShardOption = None,
) -> None:
    """Add task URNs from CSV, Parquet or (ND)JSON files, plain or gzipped. Safe to repeat: known tasks stay as they are.

    Example: `jobrecon tasks import exports/2026-11-21.csv --map task_urn=urn --timezone Europe/Berlin`
    """
    from jobrecon.ingest import ReadOptions, import_tasks
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings(shard=shard)
        options = ReadOptions(encoding, timezone or "UTC", date_format, read_mapping(mapping or []))
        applications = settings.load_shard()
        refuse_new_home(settings, is_created)
        with open_warehouse(settings) as warehouse:
            _import_files(
                files,
                "tasks",
                lambda path, advance: import_tasks(warehouse, path, applications, utc_now(), advance, options, is_dry_run=is_dry_run),
                settings,
                is_dry_run=is_dry_run,
                is_strict=is_strict,
            )


@notifications.command("import")
def notifications_import(
    files: Files,
    timezone: Zone = None,
    encoding: Encoding = "utf-8",
    is_dry_run: DryRun = False,
    is_strict: Strict = False,
    is_created: Create = False,
    shard: ShardOption = None,
) -> None:
    """Add notification bodies that were landed elsewhere: NDJSON, one body a line, with or without its time of receipt.

    Example: `jobrecon notifications import landed.ndjson`, of lines such as `{"received_at": "2026-11-21T06:00:00Z", "body": {"type": "JOB_POSTING_STATUS", …}}`
    """
    from jobrecon.ingest import ReadOptions, import_notifications
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings(shard=shard)
        options = ReadOptions(encoding, timezone or "UTC")
        applications = settings.load_shard()
        refuse_new_home(settings, is_created)
        with open_warehouse(settings) as warehouse:
            _import_files(
                files,
                "notifications",
                lambda path, advance: import_notifications(
                    warehouse, path, utc_now(), advance, options, applications=applications, is_dry_run=is_dry_run
                ),
                settings,
                is_dry_run=is_dry_run,
                is_strict=is_strict,
            )


def rejected(
    limit: Annotated[int, typer.Option("--limit", help="How many to list, the newest first.", min=1)] = 100,
    as_json: JsonOption = False,
) -> None:
    """List refused rows and quarantined bodies, with reasons.

    Example: `jobrecon rejected --limit 20`
    """
    from jobrecon.landing.database import using_landing
    from jobrecon.landing.inbox_reader import read_quarantine
    from jobrecon.warehouse import open_warehouse

    with exit_with_status():
        settings = load_settings()
        with open_warehouse(settings) as warehouse:
            rows = warehouse.read("tasks/select_rejected_rows", row_limit=limit)
        with using_landing(settings.landing_url) as engine:
            bodies = read_quarantine(engine, limit)
        if as_json:
            print_json({"rejected_rows": rows, "quarantine": bodies})
            return
        for row in rows:
            place = f"{row['source']}, line {row['line']}" if row["line"] is not None else row["source"]
            echo(f"{place}: {row['reason']}")
            if row["row"]:
                echo(f"  {' '.join(row['row'].split())[:300]}")
        for body in bodies:
            echo(
                f"quarantined body {body['quarantine_id']}, received at {body['received_at'].isoformat(timespec='seconds')}: {body['reason']}"
            )
            echo(f"  {' '.join(body['body'].split())[:300]}")
        if not rows and not bodies:
            echo("Nothing was refused.")
        if bodies:
            echo("Try quarantined bodies again after a fix with `jobrecon webhook redrive`.")


def read_mapping(pairs: list[str]) -> dict[str, str]:
    """Our column by the file's name, from `column=name`; the other order is understood too."""
    from jobrecon.ingest.staging import TASK_COLUMNS

    columns = {}
    for pair in pairs:
        ours, is_pair, theirs = (part.strip().lower() for part in pair.partition("="))
        if theirs in TASK_COLUMNS and ours not in TASK_COLUMNS:
            ours, theirs = theirs, ours
        if not is_pair or not theirs:
            raise ConfigurationError(f"--map is no pair: {pair!r}. Write it as task_urn=urn: our column, then the name in the file.")
        columns[theirs] = ours
    return columns


def refuse_new_home(settings: Settings, is_created: bool) -> None:
    """Stop before a warehouse is begun where nothing of the product lies. Raises `ConfigurationError`."""
    named = {variable for variable, _, origin in describe_settings(settings) if origin != "default"}
    if is_created or settings.home.exists() or settings.applications.exists() or named & OF_A_DEPLOYMENT:
        return
    raise ConfigurationError(
        f"Nothing of jobrecon lies in {Path.cwd()}: no {settings.home}, no {settings.applications}, no JOBRECON_HOME. Nothing was imported. "
        "Change to the folder of your deployment or set JOBRECON_HOME; to begin a new one here add --create."
    )


def _import_files(
    files: list[Path],
    noun: str,
    import_file: "Callable[[Path, Callable[[int], None]], ImportResult]",
    settings: Settings,
    *,
    is_dry_run: bool,
    is_strict: bool,
) -> None:
    is_failed = False
    for path in files:
        done = 0
        with show_progress(f"{path.name}") as progress:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                progress(done, 0)

            try:
                result = import_file(path, advance)
            except InputError as error:
                echo(f"InputError: {error}", to=err)
                is_failed = True
                continue
        _print_result(result, noun)
        is_failed |= bool(result.rejected) and (is_strict or not result.added + result.known)
    echo("Nothing was changed: this was a dry run." if is_dry_run else f"Warehouse: {settings.describe_warehouse()}")
    if is_failed:
        raise typer.Exit(1)


def _print_result(result: "ImportResult", noun: str) -> None:
    echo(f"{result.source}: {result.added:,} {noun} added, {result.known:,} known already, {result.rejected:,} rows rejected")
    if result.skipped:
        echo(f"  {result.skipped:,} rows of other shards skipped")
    for note in result.notes:
        echo(f"  {note}")
    reasons = sorted(result.reasons.items(), key=lambda item: -item[1].count)
    for text, reason in reasons[:MAX_REASONS]:
        (first, example), *others = reason.examples
        shown = f"{example}" + "".join(f"; line {line}: {other}" for line, other in others)
        echo(f"  rejected {reason.count:,}: {text} (first in line {first}): {' '.join(shown.split())}")
    if len(reasons) > MAX_REASONS:
        echo(f"  and {len(reasons) - MAX_REASONS:,} more reasons")
    if result.rejected:
        echo("  Rejected rows are in the table rejected_rows (`jobrecon rejected`); correct them and import the file again.")
