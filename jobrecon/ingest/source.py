"""Pulling new tasks from the partner's own database, by the query the user set."""

from datetime import datetime, timedelta

from sqlalchemy import create_engine, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from jobrecon.applications import Applications
from jobrecon.errors import ConfigurationError, InputError
from jobrecon.ingest.files import ImportResult
from jobrecon.ingest.staging import stage_rows
from jobrecon.ingest.tasks import REQUIRED, merge_tasks
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse

OVERLAP = timedelta(hours=1)
"""Read again by each pull: rows that were committed late with an earlier time. Known tasks are not added twice."""
BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def pull_tasks(
    warehouse: Warehouse, settings: Settings, applications: Applications, last_pulled_at: datetime | None, now: datetime
) -> ImportResult | None:
    """Add what the task source has since the last pull; None where no source is set.

    Raises `ConfigurationError` for a source of which only half is set, `InputError` where it cannot be read: the tasks known so far
    stay as they are.
    """
    url, query = settings.task_source_url.get_secret_value(), settings.task_source_query
    if not url and not query:
        return None
    if not url or not query:
        raise ConfigurationError("JOBRECON_TASK_SOURCE_URL and JOBRECON_TASK_SOURCE_QUERY go together; one of them is missing.")
    result = ImportResult("task source")
    since = last_pulled_at - OVERLAP if last_pulled_at else BEGINNING
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise ConfigurationError(f"JOBRECON_TASK_SOURCE_URL is no database address that can be used ({type(error).__name__}).") from None
    try:
        with engine.connect().execution_options(stream_results=True, max_row_buffer=10_000) as connection:
            # SQLite keeps times as text: a driver's own adapter would write them with a blank for the T.
            bound = since.isoformat() if engine.dialect.name == "sqlite" else since
            rows = connection.execute(text(query), {"since": bound} if ":since" in query else {}).mappings()
            names = [str(key).lower() for key in rows.keys()]  # noqa: SIM118 - a result has no other way
            if missing := [name for name in REQUIRED if name not in names]:
                raise InputError(
                    f"The task source's query gives no column {', '.join(missing)}. Nothing was pulled. Name its columns as in the import."
                )
            numbered = ((number, dict(zip(names, row.values(), strict=True)), None, None) for number, row in enumerate(rows, start=1))
            merge_tasks(warehouse, result, stage_rows(result.source, numbered), applications, now)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise InputError(
            f"The task source cannot be read: {cause[:300]}. The tasks known so far stay as they are; the next run tries again."
        ) from None
    finally:
        engine.dispose()
    return result
