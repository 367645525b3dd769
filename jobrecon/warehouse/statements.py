"""The statements of `sql/`, in a checkout or a wheel: one a file, named by folder and file."""

from functools import cache
from pathlib import Path

import duckdb

PACKAGE = Path(__file__).resolve().parent.parent


def find_sql_folder() -> Path:
    """`sql/` beside the package in a checkout, inside it in a wheel."""
    checkout = PACKAGE.parent / "sql"
    return checkout if (checkout / "findings").is_dir() else PACKAGE / "sql"


@cache
def load_statements() -> dict[str, str]:
    """Every statement, by its name, such as `polling/select_due_tasks`."""
    folder = find_sql_folder()
    return {path.relative_to(folder).with_suffix("").as_posix(): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql"))}


@cache
def list_findings() -> tuple[str, ...]:
    """Names of the statements that select findings, one a kind."""
    return tuple(name for name in load_statements() if name.startswith("findings/kinds/"))


def prepare_statements(connection: duckdb.DuckDBPyConnection) -> None:
    """Bind every statement against the empty tables of `connection`, so that a typo fails at start and not at 3 a.m.

    DuckDB cannot prepare MERGE and DDL, so each statement is explained with nulls as its values; temporary tables are created,
    because other statements read them, as are views.
    """
    waiting = dict(load_statements())
    while waiting:
        failed: dict[str, duckdb.Error] = {}
        for name, text in waiting.items():
            parsed = duckdb.extract_statements(text)
            if len(parsed) != 1:
                raise AssertionError(f"sql/{name}.sql holds {len(parsed)} statements; it must be one")
            is_create = parsed[0].type == duckdb.StatementType.CREATE
            prefix = f"create view {name.removeprefix('views/')} as " if name.startswith("views/") else "explain "
            try:
                connection.execute(text if is_create else prefix + text, dict.fromkeys(parsed[0].named_parameters))
            except duckdb.Error as error:
                failed[name] = error
        if len(failed) == len(waiting):
            name, cause = next(iter(failed.items()))
            raise AssertionError(f"sql/{name}.sql: {cause}") from cause
        # A failed statement may read a temporary table that exists by now.
        waiting = {name: waiting[name] for name in failed}
