"""Verification: what a run leaves agrees with what it is derived from; what was tampered with is named and repaired."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from jobrecon.applications import Application, Applications
from jobrecon.errors import WarehouseError
from jobrecon.ingest import import_notifications, import_tasks
from jobrecon.landing.database import open_landing
from jobrecon.reconcile.maintenance import maintain
from jobrecon.reconcile.opening import reconcile
from jobrecon.reconcile.verify import Verification, verify
from jobrecon.sandbox import SandboxApplication, World, create_app
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse
from jobrecon.webhook.server import serve_in_thread
from tests.conftest import configure
from tests.findings.rows import ACME, delivery, read_everything

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home of a file, from which each test gets a copy: making one takes seconds."""
    with pytest.MonkeyPatch.context() as patch, run_three_times(configure(tmp_path_factory.mktemp("prepared"), patch)) as settings:
        yield settings


@pytest.fixture
def finished(settings: Settings, request: pytest.FixtureRequest, prepared: Settings) -> Iterator[Settings]:
    """A home (with a parameter: with a lake of this kind of catalog) after three runs."""
    if catalog := getattr(request, "param", ""):
        lake = {"warehouse": f"ducklake:{catalog}:{settings.home}/catalog.{catalog}"}
        with run_three_times(settings.model_copy(update=lake)) as ran:
            yield ran
    else:
        shutil.copytree(prepared.home, settings.home)
        shutil.copy(prepared.applications, settings.applications)
        yield settings.model_copy(update={name: getattr(prepared, name) for name in ("api_url", "token_url", "concurrency")})


@contextmanager
def run_three_times(settings: Settings) -> Iterator[Settings]:
    """Three runs against a sandbox: 12 jobs, failed, stuck and listed ones, notifications and a resync request."""
    world = World([SandboxApplication(ACME, "78acme", ["acme-secret"])], START, seed=11)
    with serve_in_thread(create_app(world)) as address:
        settings = settings.model_copy(update={"api_url": address, "token_url": f"{address}/oauth/v2/accessToken", "concurrency": 1})
        settings.applications.write_text(
            settings.applications.read_text().split('\n[[applications]]\nurn = "urn:li:developerApplication:1002')[0]
        )
        _fill(settings, world)
        for hours in (1, 3, 4):
            world.seconds = (START + timedelta(hours=hours)).timestamp()
            summary = reconcile(settings, START + timedelta(hours=hours))
            assert summary.is_complete, summary.incomplete_reasons
        yield settings


def _fill(settings: Settings, world: World) -> None:
    rows = []
    for number in range(12):
        task = world.submit(world.applications[ACME], external_id=f"job-{number}", operation="CREATE", title="Cook")
        task.status, task.error = ("FAILED", "Job description is too short.") if number % 3 == 0 else ("SUCCEEDED", None)
        task.settles_at, task.quirks = (START + timedelta(days=1 if number == 5 else 0, minutes=9)).timestamp(), 0
        rows.append(world.task_row(world.applications[ACME], task))
    file = settings.home / "tasks.ndjson"
    settings.home.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bodies = [
        delivery(START, listingStatus=status, externalJobPostingId=f"job-{number}")
        for number in range(12)
        for status in ("IN_PROGRESS", "IN_PROGRESS", "LISTED" if number % 2 else "NOT_LISTED")
    ] + [delivery(START, type="RESYNC_JOBS", externalJobPostingIds=["job-1", "job-2"])]
    notifications = file.with_name("notifications.ndjson")
    notifications.write_text(
        "".join(
            f'{{"received_at": "{(START + timedelta(minutes=20 + number)).isoformat()}", "body": {body["payload"]}}}\n'
            for number, body in enumerate(bodies)
        )
    )
    open_landing(settings.landing_url).dispose()
    applications = Applications([Application(ACME, "78acme", [], "Acme")])
    with open_warehouse(settings) as warehouse:
        assert import_tasks(warehouse, file, applications, START).added == 12
        assert import_notifications(warehouse, notifications, START + timedelta(hours=1)).added == 37


def tamper(settings: Settings, *statements: str) -> None:
    with open_warehouse(settings) as warehouse:
        for statement in statements:
            warehouse.connection.execute(statement)


def read_all(settings: Settings) -> object:
    with open_warehouse(settings) as warehouse:
        return read_everything(warehouse)


def repair(settings: Settings, *statements: str) -> Verification:
    """Tamper, and repair; afterwards everything agrees, in the published copy too."""
    before = read_all(settings)
    tamper(settings, *statements)
    found = verify(settings)
    assert found.differences
    assert verify(settings, is_repaired=True).differences == found.differences
    assert verify(settings).differences == {}
    if "findings" not in found.differences:
        assert read_all(settings) == before
    with duckdb.connect(settings.published, read_only=True) as published, open_warehouse(settings) as warehouse:
        for table in ("notifications", "resync_requests", "job_postings", "findings"):
            query = f"select * from {table} order by all"
            assert published.execute(query).fetchall() == warehouse.connection.execute(query).fetchall()
    return found


def test_what_a_run_leaves_agrees_and_verifying_twice_changes_nothing(finished: Settings) -> None:
    before = read_all(finished)
    for is_repaired in (False, True, False):
        result = verify(finished, is_repaired=is_repaired)
        assert (result.differences, result.unseen) == ({}, {"unseen_applications": [], "unseen_facets": []})
        assert result.row_counts["notifications"] >= 25
        assert result.row_counts["resync_requests"] == 2
        assert result.row_counts["job_postings"] == 12
        assert result.row_counts["findings"] > 5
        assert result.sentence.startswith("All rows agree: ")
    assert read_all(finished) == before


@pytest.mark.parametrize(
    ("table", "change", "key"),
    [
        ("notifications", "listing_status = 'IN_PROGRESS', listing_message = 'no'", "external_job_posting_id = 'job-7'"),
        ("resync_requests", "due_at = due_at + interval 1 day", "external_job_posting_id = 'job-1'"),
        ("job_postings", "expected_listing = 'UNKNOWN'", "external_job_posting_id = 'job-1'"),
    ],
)
def test_a_changed_a_removed_and_an_added_row_are_named_and_repaired(finished: Settings, table: str, change: str, key: str) -> None:
    changed = repair(finished, f"update {table} set {change} where {key}")
    assert {line.partition(" ")[2].split()[-1] for line in changed.differences[table]} == {"differs"}
    removed = repair(finished, f"delete from {table} where {key}")
    assert all(line.endswith("is missing") for line in removed.differences[table])
    added = repair(
        finished, f"insert into {table} by name select * replace ('job-x' as external_job_posting_id) from {table} where {key} limit 1"
    )
    assert [line.partition(" should")[1] for line in added.differences[table]] == [" should"]


def test_a_column_that_is_not_ours_is_no_difference(finished: Settings) -> None:
    for table in ("findings", "look_again"):
        tamper(finished, f"alter table {table} add column note varchar", f"update {table} set note = 'theirs'")
    assert verify(finished).differences == {}


def test_a_row_that_stands_twice_is_named_and_repaired(finished: Settings) -> None:
    found = repair(finished, "insert into job_postings select * from job_postings where external_job_posting_id = 'job-2'")
    assert found.lines == [f"job_postings: job job-2 of {ACME} should not be there"]


def test_a_finding_that_was_resolved_wrongly_is_open_again(finished: Settings) -> None:
    found = repair(
        finished,
        "update findings set resolved_at = last_seen_at, resolution = 'SUCCEEDED' where external_job_posting_id = 'job-3' and kind = 'FAILED'",
    )
    assert found.lines == [f"findings: finding FAILED|TASK|{ACME}|job-3| is missing"]


def test_a_finding_that_was_changed_gets_its_words_back(finished: Settings) -> None:
    before = read_all(finished)
    for column in ("severity", "owner", "code", "reason", "message", "next_action", "remedy", "evidence"):
        tamper(finished, f"update findings set {column} = 'WRONG' where external_job_posting_id = 'job-3' and kind = 'FAILED'")
        assert verify(finished, is_repaired=True).lines == [f"findings: finding FAILED|TASK|{ACME}|job-3| differs"], column
        assert read_all(finished) == before, column


def test_a_finding_that_nothing_supports_is_resolved_and_a_repeated_one_is_deleted(finished: Settings) -> None:
    invented = (
        "insert into findings by name select * replace ('invented' as finding_id, 'invented' as finding_key) from findings "
        "where external_job_posting_id = 'job-3' and kind = 'FAILED'"
    )
    assert repair(finished, invented).lines == ["findings: finding invented should not be there"]
    repeated = (
        "insert into findings select * from findings where resolved_at is null and external_job_posting_id = 'job-3' and kind = 'FAILED'"
    )
    assert repair(finished, repeated).lines == [f"findings: finding FAILED|TASK|{ACME}|job-3| should not be there"]


def test_at_most_20_rows_of_a_table_are_named(finished: Settings) -> None:
    found = repair(finished, "update notifications set type = 'OTHER'", "delete from job_postings")
    count = len(found.differences["notifications"])
    assert count > 20
    assert found.lines[20] == f"notifications: {count - 20} more"
    assert len(found.lines) >= 21 + 12


def test_tasks_imported_after_the_run_are_no_difference(finished: Settings) -> None:
    tamper(
        finished,
        "insert into job_tasks by name select * replace ('later' as task_urn, 'UPDATE' as operation, now() + interval 1 day as imported_at, "
        "requested_at + interval 1 minute as requested_at) "
        "from job_tasks where external_job_posting_id = 'job-1'",
        f"insert into touched_jobs values ('{ACME}', 'job-1')",
    )
    assert verify(finished).differences == {}
    tamper(finished, "delete from touched_jobs")
    assert verify(finished).lines[0] == f"job_postings: job job-1 of {ACME} differs"


INVENTED = (
    "insert into findings by name select * replace ('invented' as finding_id, 'invented' as finding_key) from findings "
    "where external_job_posting_id = 'job-3' and kind = 'FAILED'"
)


@pytest.mark.parametrize("unseen", [f"failed_applications = '{ACME}'", "unseen_facets = 'LISTING\nTASK'"])
def test_a_finding_of_what_the_run_could_not_read_stays_open_and_every_other_is_compared(finished: Settings, unseen: str) -> None:
    tamper(finished, f"update runs set {unseen}", INVENTED)
    result = verify(finished, is_repaired=True)
    assert result.differences == {}
    assert "could not read" in result.sentence
    tamper(finished, "update findings set owner = 'WRONG' where finding_key != 'invented' and external_job_posting_id = 'job-3'")
    assert verify(finished, is_repaired=True).lines == [f"findings: finding FAILED|TASK|{ACME}|job-3| differs"]
    # Its job stays touched, for the next run to look at.
    tamper(
        finished,
        "update runs set failed_applications = 'urn:li:developerApplication:2', unseen_facets = 'APPLY'",
        "delete from touched_jobs",
    )
    assert verify(finished).lines == ["findings: finding invented should not be there"]


def test_a_run_that_only_a_task_source_failed_is_compared_whole(finished: Settings) -> None:
    tamper(finished, "update runs set state = 'INCOMPLETE', incomplete_reasons = 'The task source did not respond'", INVENTED)
    assert verify(finished).lines == ["findings: finding invented should not be there"]


def test_a_run_records_which_applications_and_facets_it_could_not_read(finished: Settings) -> None:
    read = "select failed_applications, unseen_facets from runs order by as_of desc, started_at desc limit 1"
    with open_warehouse(finished) as warehouse:
        assert warehouse.connection.execute(read).fetchone() == (None, None)
    later = START + timedelta(hours=4)
    reconcile(finished.model_copy(update={"landing_url": f"sqlite:///{finished.home}/no/such/folder/landing.db"}), later)
    with open_warehouse(finished) as warehouse:
        assert warehouse.connection.execute(read).fetchone() == (ACME, "APPLY\nLISTING\nPROMOTION\nWEBHOOK")
    assert verify(finished).differences == {}


def test_a_job_that_is_looked_at_again_at_another_moment_is_named_and_repaired(finished: Settings) -> None:
    found = repair(finished, "update look_again set due_at = due_at + interval 1 day where external_job_posting_id = 'job-5'")
    assert found.lines == [f"look_again: job job-5 of {ACME} differs"]


def test_by_other_rules_than_those_of_the_last_run_nothing_is_compared(finished: Settings) -> None:
    with pytest.raises(WarehouseError, match="rules changed"):
        verify(finished.model_copy(update={"stuck_after": 60}))


def test_a_failed_run_leaves_nothing_to_compare(finished: Settings) -> None:
    tamper(finished, "update runs set state = 'FAILED'")
    with pytest.raises(WarehouseError, match="did not finish"):
        verify(finished)


def test_the_weekly_maintenance_reports_what_is_wrong_and_leaves_it(finished: Settings) -> None:
    now = START + timedelta(hours=5)
    assert maintain(finished, now).verification == ""
    tamper(finished, "delete from job_postings where external_job_posting_id = 'job-2'")
    assert "An error of jobrecon: Wrong rows: 1 of job_postings" in maintain(finished, now).sentence
    assert verify(finished).lines == [f"job_postings: job job-2 of {ACME} is missing"]


@pytest.mark.parametrize("finished", ["sqlite"], indirect=True)
def test_a_lake_is_verified_and_repaired(finished: Settings) -> None:
    before = read_all(finished)
    tamper(finished, "delete from job_postings where external_job_posting_id = 'job-2'", "update notifications set type = 'OTHER'")
    found = verify(finished)
    assert f"job_postings: job job-2 of {ACME} is missing" in found.lines
    assert verify(finished, is_repaired=True).differences == found.differences
    assert verify(finished).differences == {}
    assert read_all(finished) == before
    repeated = (
        "insert into findings select * from findings where resolved_at is null and external_job_posting_id = 'job-3' and kind = 'FAILED'"
    )
    tamper(finished, repeated)
    assert verify(finished, is_repaired=True).lines == [f"findings: finding FAILED|TASK|{ACME}|job-3| should not be there"]
    assert verify(finished).differences == {}
