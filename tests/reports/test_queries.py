"""What docs/queries.md promises analysts: every query runs, the views tell what they say, Parquet holds the same."""

import datetime as dt
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from jobrecon.errors import PublishFailed
from jobrecon.reports.report import write_report
from jobrecon.warehouse import open_warehouse
from jobrecon.warehouse.duckdb_file import connect
from jobrecon.warehouse.parquet import export_parquet
from tests.reports.conftest import NOW, History

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
QUERIES = re.findall(r"^(\d+)\. (.+?)\n\n```sql\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
DAY = dt.timedelta(days=1)


@pytest.fixture
def copy(history: History) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published copy with some of everything, open as an analyst opens it, in a zone of their own."""
    for number in range(12):
        job = f"job-{number}"
        history.add_job(job, listing_status="NOT_LISTED", listing_as_of=NOW)
        history.add_task(f"t{number}", job, requested_at=NOW - DAY, status="FAILED", status_changed_at=NOW - number * DAY / 24)
        resolved_at = NOW - number * DAY / 8 if number % 3 == 0 else None
        history.add_finding(
            external_job_posting_id=job, opened_at=NOW - number * DAY / 4 - DAY, resolved_at=resolved_at, resolution=resolved_at and "RELISTED",
            account_manager=[None, "Dana Fox", "Jo Ng"][number % 3], message="something new",
        )  # fmt: skip
    history.add_finding(external_job_posting_id="job-0")
    history.add_task("pending", "job-1", state="PENDING")
    history.add_run(NOW - DAY, "INCOMPLETE", incomplete_reasons="no inbox")
    history.add_run()
    row = {"application_urn": "urn:1", "resource": "simpleJobPostingTasks", "utc_date": NOW.date(), "call_limit": 100, "calls_used": 7}
    history.rows.append(("call_budget", row))
    notification = {
        "notification_id": "n",
        "application_urn": "urn:1",
        "type": "JOB_POSTING_STATUS",
        "received_at": NOW,
        "arrival": 1,
        "deliveries": 2,
    }
    history.rows.append(("notifications", notification))
    history.publish()
    with connect(history.settings.published, read_only=True) as connection:
        connection.execute("set TimeZone = 'Asia/Tokyo'")
        yield connection


def test_there_are_twenty() -> None:
    assert [int(number) for number, _, _ in QUERIES] == list(range(1, 21))


@pytest.mark.parametrize(("number", "question", "query"), QUERIES)
def test_every_query_of_the_page_answers(copy: duckdb.DuckDBPyConnection, number: str, question: str, query: str) -> None:
    assert copy.execute(query).fetchall(), question


def test_the_roll_forward_balances_and_hands_on(copy: duckdb.DuckDBPyConnection) -> None:
    rows = copy.execute("select * from daily_roll_forward order by account_manager nulls last, day").fetchall()
    assert rows
    for day, manager, before, new, resolved, now in rows:
        assert before + new - resolved == now, (day, manager)
    for first, second in pairwise(rows):
        if first[1] == second[1]:
            assert first[5] == second[2]
            assert second[0] - first[0] == DAY
    last = copy.execute("select sum(open_now) from daily_roll_forward where day = ?", [NOW.date()]).fetchone()
    assert last == copy.execute("select count(*) from open_findings").fetchone()
    assert {row[1] for row in rows} == {None, "Dana Fox", "Jo Ng"}


def test_the_roll_forward_is_the_one_of_the_report(copy: duckdb.DuckDBPyConnection, history: History) -> None:
    for back in range(4):
        day = NOW.date() - back * DAY
        summary = write_report(history.settings, day, NOW).summary["roll_forward"]
        row = copy.execute(
            "select sum(open_before), sum(new_count), sum(resolved_count), sum(open_now) from daily_roll_forward where day = ?", [day]
        ).fetchone()
        assert row == (summary["open_before"], summary["new"], summary["resolved"], summary["open_now"])


def test_parquet_files_hold_what_the_tables_hold(history: History, tmp_path: Path) -> None:
    history.add_finding()
    history.add_run()
    with open_warehouse(history.settings) as warehouse:
        history.insert_rows(warehouse.connection)
        export_parquet(warehouse, tmp_path / "parquet")
        export_parquet(warehouse, tmp_path / "parquet")
    names = sorted(path.name for path in (tmp_path / "parquet").iterdir())
    assert {"findings.parquet", "open_findings.parquet", "runs.parquet"} <= set(names)
    assert not [name for name in names if name.startswith(".")]
    assert duckdb.sql(f"select finding_id from '{tmp_path}/parquet/open_findings.parquet'").fetchall() == [("f1",)]


def test_a_folder_for_parquet_that_cannot_be_written_is_explained(history: History, tmp_path: Path) -> None:
    (tmp_path / "parquet").write_text("a file")
    with open_warehouse(history.settings) as warehouse, pytest.raises(PublishFailed, match="JOBRECON_PARQUET"):
        export_parquet(warehouse, tmp_path / "parquet")


@pytest.mark.filterwarnings("ignore:The inplace keyword:Warning")
def test_a_data_frame_of_the_copy_keeps_integers_and_time_zones(copy: duckdb.DuckDBPyConnection) -> None:
    copy.execute("set TimeZone = 'UTC'")
    notifications = copy.sql(
        "select deliveries, received_at, null::bigint as missing from notifications union all select null, null, 7"
    ).df()
    assert {name: str(kind) for name, kind in notifications.dtypes.items()} == {
        "deliveries": "Int32",
        "received_at": "datetime64[us, UTC]",
        "missing": "Int64",
    }
