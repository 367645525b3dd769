"""Shared by the commands: output for terminals, plain lines elsewhere, JSON on request, errors as exit status."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from jobrecon.errors import ConfigurationError, JobreconError
from jobrecon.secrets import redact

PLAIN_WIDTH = 200
"""Width where the output is not a terminal: nothing is wrapped in a file or a pipe."""

out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
err = Console(stderr=True, soft_wrap=True, highlight=False, width=None if sys.stderr.isatty() else PLAIN_WIDTH)

ShardOption = Annotated[
    str | None, typer.Option("--shard", help="The shard of the applications. Default: JOBRECON_SHARD, or the default shard.", metavar="S")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")]


@contextmanager
def exit_with_status() -> Iterator[None]:
    """Turn a `JobreconError` into a message on stderr and its exit status."""
    try:
        yield
    except JobreconError as error:
        err.print(f"[bold red]{type(error).__name__}:[/] {escape(sanitize(str(error)))}")
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        err.print("Interrupted. What was committed stays; run it again to go on.")
        raise typer.Exit(1) from None


def echo(text: str, style: str | None = None, to: Console = out) -> None:
    """Print text as it is: no markup, no control characters."""
    to.print(sanitize(text), style=style, markup=False)


def print_json(value: Any) -> None:
    """One JSON object on stdout; timestamps in ISO 8601."""
    text = json.dumps(value, default=lambda item: item.isoformat() if hasattr(item, "isoformat") else str(item), ensure_ascii=False)
    sys.stdout.write(redact(text) + "\n")


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table for terminals; numbers are right-aligned."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(sanitize(f"{cell:,}" if isinstance(cell, int) else str(cell))) for cell in row))
    out.print(table)


def sparkline(counts: list[int]) -> str:
    """One character per count, the highest full; a dot for zero."""
    highest = max(counts, default=0)
    return "".join("·" if not count else "▁▂▃▄▅▆▇█"[max(0, -(-count * 8 // highest) - 1)] for count in counts)


def sanitize(text: str) -> str:
    """Text from outside without control characters, changes of text direction and known secrets."""
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in redact(text))


@contextmanager
def show_progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; elsewhere nothing."""
    if not err.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def parse_timestamp(text: str | None, option: str) -> datetime | None:
    """A timestamp from the command line: ISO 8601; without an offset it is UTC."""
    if text is None:
        return None
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} is not an ISO 8601 timestamp: {text!r}. Write it as 2026-01-31T06:00:00Z.") from None
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).astimezone(UTC)


class RedactingFormatter(logging.Formatter):
    """Lines without known secrets, also in the tracebacks of other libraries' errors."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class StderrHandler(logging.StreamHandler[Any]):
    """Ours, by its class: a command that runs in the process of another one replaces it."""


def start_logging(level: int = logging.INFO) -> None:
    """Log plain lines to stderr: ours from `level` on, warnings of libraries."""
    for earlier in [each for each in logging.getLogger().handlers if isinstance(each, StderrHandler)]:
        logging.getLogger().removeHandler(earlier)
    handler = StderrHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"))
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.startswith("jobrecon"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("jobrecon").setLevel(level)
