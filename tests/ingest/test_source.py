"""The task source: the partner's own database, asked for what is new since the last pull."""

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from jobrecon.errors import ConfigurationError, InputError
from jobrecon.ingest import pull_tasks
from jobrecon.settings import Settings
from tests.ingest.conftest import ACME, NOW, read, read_rejects, read_tasks

QUERY = """select urn as "TASK_URN", job as external_job_posting_id, operation, requested_at, application_urn, 'more' as salary
from requests where requested_at >= :since"""


class Source:
    """A partner's SQLite database of requests."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("create table requests (urn text, job text, operation text, requested_at text, application_urn text)")

    def add(self, urn: str, requested_at: datetime, operation: str | None = "CREATE") -> None:
        self.connection.execute("insert into requests values (?, 'job-1', ?, ?, ?)", (urn, operation, requested_at.isoformat(), ACME))


@pytest.fixture
def source(tmp_path: Path):
    source = Source(tmp_path / "partner.db")
    yield source
    source.connection.close()


@pytest.fixture
def pull(warehouse, settings: Settings, tmp_path: Path) -> Callable[..., object]:
    def pull_since(last_pulled_at: datetime | None, query: str = QUERY, url: str = f"sqlite:///{tmp_path / 'partner.db'}"):
        asked = Settings(home=settings.home, applications=settings.applications, task_source_url=url, task_source_query=query)
        return pull_tasks(warehouse, asked, settings.load_applications(), last_pulled_at, NOW)

    return pull_since


def test_the_first_pull_takes_everything_and_the_next_what_is_new_and_a_bit_before(warehouse, source, pull):
    source.add("t1", NOW - timedelta(days=90))
    source.add("t2", NOW - timedelta(minutes=5))
    assert pull(None).added == 2
    source.add("t3", NOW + timedelta(minutes=5))
    # Committed late, with a time before the last pull.
    source.add("t4", NOW - timedelta(hours=20))
    source.add("too late", NOW - timedelta(days=4))
    result = pull(NOW)
    assert (result.added, result.known) == (2, 1)
    assert [row[0] for row in read_tasks(warehouse)] == ["t1", "t2", "t3", "t4"]
    assert read_tasks(warehouse)[0][4] == NOW - timedelta(days=90)


def test_bad_rows_of_the_source_are_kept_once_with_their_number(warehouse, source, pull):
    source.add("t1", NOW)
    source.add("t2", NOW, operation=None)
    assert pull(None).rejected == 1
    assert pull(None).rejected == 1
    ((name, line, reason, row),) = read_rejects(warehouse)
    assert (name, line, reason) == ("task source", 2, "operation is empty")
    assert '"task_urn":"t2"' in row


def test_a_query_without_since_is_read_whole(warehouse, source, pull):
    source.add("t1", NOW - timedelta(days=90))
    assert pull(NOW, QUERY.partition("where")[0]).added == 1


def test_no_source_is_fine_and_half_a_source_is_a_wrong_configuration(pull):
    assert pull(None, query="", url="") is None
    with pytest.raises(ConfigurationError, match="JOBRECON_TASK_SOURCE_QUERY"):
        pull(None, query="")
    with pytest.raises(ConfigurationError, match="JOBRECON_TASK_SOURCE_URL"):
        pull(None, url="")
    with pytest.raises(ConfigurationError, match="no database address"):
        pull(None, url="no address, but a password")


@pytest.mark.parametrize(
    ("query", "url", "reason"),
    [
        (QUERY, "sqlite:////nowhere/partner.db", "unable to open"),
        (QUERY, "postgresql+psycopg://user:hush-hush@127.0.0.1:1/tasks", "refused"),
        ("select 1 from nowhere", None, "no such table"),
        ("select urn as task_urn from requests", None, "no column external_job_posting_id, operation, requested_at"),
        ("delete from requests", None, "ResourceClosedError"),
    ],
)
def test_a_source_that_cannot_be_read_is_an_error_without_the_password(warehouse, source, pull, query, url, reason):
    source.add("t1", NOW)
    with pytest.raises(InputError) as raised:
        pull(None, query, url) if url else pull(None, query)
    assert reason in str(raised.value)
    assert "hush-hush" not in str(raised.value)
    assert read(warehouse, "select count(*) from job_tasks") == [(0,)]
    assert source.connection.execute("select count(*) from requests").fetchone() == (1,)
