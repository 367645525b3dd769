"""`tasks import` and `notifications import`: what is printed, and with which status they end."""

import json

import pytest

from jobrecon.landing.database import open_landing
from models import QuarantinedBody
from tests.cli.conftest import ACME, BETA, NOW, MakeUser, User


def test_the_counts_of_good_known_and_bad_rows_are_printed(user: User) -> None:
    user.post("job-1")
    user.post("job-2")
    path = user.write_tasks()
    path.write_text(path.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    first = user.run_process("tasks", "import", path.name)
    assert first.returncode == 0
    assert first.stdout.splitlines()[0] == "tasks.ndjson: 2 tasks added, 0 known already, 1 rows rejected"
    assert "rejected 1: is no JSON" in first.stdout
    assert "(first in line 3)" in first.stdout
    assert "rejected_rows" in first.stdout
    again = user.run("tasks", "import", path.name)
    assert again.stdout.splitlines()[0] == "tasks.ndjson: 0 tasks added, 2 known already, 1 rows rejected"


def test_one_bad_file_among_several_stops_no_other_and_ends_with_1(user: User) -> None:
    user.post("job-1")
    good = user.write_tasks()
    (user.folder / "empty.csv").touch()
    finished = user.run("tasks", "import", "absent.csv", "empty.csv", user.folder, good)
    assert finished.returncode == 1
    assert f"{good}: 1 tasks added, 0 known already, 0 rows rejected" in finished.stdout
    assert finished.stderr.count("InputError: ") == 3
    assert user.read("select external_job_posting_id from job_tasks", user.home / "warehouse.duckdb") == [("job-1",)]
    rejected = user.read("select source, line from rejected_rows order by source", user.home / "warehouse.duckdb")
    assert rejected == sorted([(str(user.folder), None), ("absent.csv", None), ("empty.csv", None)])


def test_a_file_name_in_brackets_is_printed_as_it_is(user: User) -> None:
    user.post("job-1")
    path = user.write_tasks("[red]tasks.ndjson")
    finished = user.run("tasks", "import", path.name)
    assert finished.stdout.startswith("[red]tasks.ndjson: 1 tasks added")


def test_what_a_file_holds_cannot_steer_the_terminal(user: User) -> None:
    path = user.folder / "tasks.csv"
    path.write_text("task_urn,external_job_posting_id,operation,requested_at\nt1,job-1,CREATE,\x1b[2J\x1b]0;owned\x07\n", encoding="utf-8")
    (user.folder / "evil.csv").write_text("\x1b[31mtask_urn\n", encoding="utf-8")
    finished = user.run("tasks", "import", path, "evil.csv")
    assert "(first in line 2): \ufffd[2J" in finished.stdout
    assert "has no column" in finished.stderr
    assert not set(finished.stdout + finished.stderr) & set("\x1b\x07")


def test_a_task_of_an_unknown_application_is_rejected(user: User) -> None:
    user.post("job-1", application="urn:li:developerApplication:1002")
    finished = user.run("tasks", "import", user.write_tasks())
    assert finished.returncode == 1
    assert "application_urn is of no configured application: urn:li:developerApplication:1002" in finished.stdout


def test_tasks_can_be_imported_before_any_application_is_configured(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    user.post("job-1")
    finished = user.run("tasks", "import", user.write_tasks())
    assert (finished.returncode, "1 tasks added" in finished.stdout) == (0, True)


def test_notifications_are_imported_and_merged_into_the_next_run(user: User) -> None:
    user.post("job-1", hours_ago=5)
    body = {"type": "JOB_POSTING_STATUS", "developerApplicationUrn": ACME, "externalJobPostingId": "job-1", "listingStatus": "NOT_LISTED"}
    path = user.folder / "bodies.ndjson"
    path.write_text(json.dumps({"received_at": NOW.isoformat(), "body": body}) + "\n{broken\n", encoding="utf-8")
    finished = user.run("notifications", "import", path)
    assert finished.returncode == 0
    assert finished.stdout.startswith(f"{path}: 1 notifications added, 0 known already, 1 rows rejected\n")
    assert "0 notifications added, 1 known already" in user.run("notifications", "import", path).stdout
    user.run("tasks", "import", user.write_tasks())
    assert user.run("run", "--as-of", NOW.isoformat()).returncode == 0
    assert user.read("select kind, since from findings") == [("UNLISTED", NOW)]
    assert user.run("notifications", "import", user.folder).returncode == 1


def test_an_import_says_where_its_rows_went_and_ends_with_1_where_none_did(user: User) -> None:
    user.post("job-1")
    path = user.write_tasks()
    finished = user.run("tasks", "import", path)
    assert finished.stdout.splitlines()[-1] == f"Warehouse: {user.home / 'warehouse.duckdb'}"
    bad = user.folder / "bad.csv"
    bad.write_text("task_urn,external_job_posting_id,operation,requested_at\n" + "t1,job-1,CREATE,11/26/2026\n" * 3_000, encoding="utf-8")
    refused = user.run("tasks", "import", bad)
    assert refused.returncode == 1
    assert "0 tasks added, 0 known already, 3,000 rows rejected" in refused.stdout
    assert "(first in line 2): 11/26/2026; line 3: 11/26/2026; line 4: 11/26/2026" in refused.stdout
    assert len(refused.stdout.splitlines()) < 6
    assert user.run("tasks", "import", bad, "--date-format", "%m/%d/%Y").returncode == 0


def test_a_strict_import_ends_with_1_for_a_single_bad_row_and_a_dry_run_changes_nothing(user: User) -> None:
    user.post("job-1")
    path = user.write_tasks()
    path.write_text(path.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    dry = user.run("tasks", "import", path, "--dry-run")
    assert "1 tasks added, 0 known already, 1 rows rejected" in dry.stdout
    assert dry.stdout.endswith("Nothing was changed: this was a dry run.\n")
    assert user.run("tasks", "import", path, "--strict").returncode == 1
    assert "0 tasks added, 1 known already, 1 rows rejected" in user.run("tasks", "import", path).stdout


def test_columns_zone_and_encoding_are_options(user: User) -> None:
    path = user.folder / "tasks.txt"
    path.write_bytes("urn;job;op;at;title\nt1;7;CREATE;26.11.2026 01:00;Bäcker\n".encode("latin-1"))
    names = ("--map", "task_urn=urn", "--map", "external_job_posting_id=job", "--map", "op=operation", "--map", "requested_at=at")
    finished = user.run("tasks", "import", path, *names, "--timezone", "Europe/Berlin", "--encoding", "latin-1")
    assert finished.returncode == 0, finished.stderr
    row = user.read("select external_job_posting_id, title, requested_at::varchar from job_tasks", user.home / "warehouse.duckdb")
    assert row == [("7", "Bäcker", "2026-11-26 00:00:00+00")]
    assert user.run("tasks", "import", path, "--map", "task_urn").returncode == 2
    assert user.run("tasks", "import", path, "--timezone", "Mars").returncode == 2


def test_a_new_home_is_begun_only_where_something_of_the_product_lies_or_when_told(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_HOME="", JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="", JOBRECON_CLIENT_SECRET="")
    user.post("job-1")
    path = user.write_tasks()
    refused = user.run("tasks", "import", path)
    assert refused.returncode == 2
    assert "--create" in refused.stderr
    assert not (user.folder / "var").exists()
    assert user.run("tasks", "import", path, "--create").returncode == 0
    assert user.run("tasks", "import", path).returncode == 0


def test_refused_rows_and_quarantined_bodies_are_listed(user: User) -> None:
    assert user.run("rejected").stdout == "Nothing was refused.\n"
    path = user.folder / "bodies.ndjson"
    path.write_text("{broken\n", encoding="utf-8")
    user.run("notifications", "import", path)
    with open_landing(user.settings.landing_url).begin() as connection:
        body = {"received_at": NOW, "reason": "type is missing", "body": b"{}", "signed_by": "x"}
        connection.execute(QuarantinedBody.__table__.insert(), [body])  # type: ignore[attr-defined]
    shown = user.run("rejected").stdout
    assert f"{path}, line 1: The body is not JSON (line 1, column 2).\n  {{broken\n" in shown
    assert "quarantined body 1, received at" in shown
    listed = json.loads(user.run("rejected", "--json").stdout)
    assert [len(listed["rejected_rows"]), listed["quarantine"][0]["reason"]] == [1, "type is missing"]


def test_the_settings_are_listed_without_secrets(user: User) -> None:
    shown = user.run("settings")
    assert shown.returncode == 0
    assert "acme-secret" not in shown.stdout
    listed = {row["variable"]: row for row in json.loads(user.run("settings", "--json").stdout)["settings"]}
    assert listed["JOBRECON_LOCK_WAIT"] == {"variable": "JOBRECON_LOCK_WAIT", "value": "1.0", "origin": "environment"}
    assert listed["JOBRECON_CLIENT_SECRET"]["value"] == "***"
    user.environment["JOBRECON_LOCKWAIT"] = "1"
    unknown = user.run("settings")
    assert (unknown.returncode, "did you mean JOBRECON_LOCK_WAIT?" in unknown.stderr) == (2, True)


def test_rows_of_an_application_that_is_configured_later_are_imported_by_the_next_run(user: User) -> None:
    user.post("job-1", application=BETA)
    assert user.run("tasks", "import", user.write_tasks()).returncode == 1
    user.environment |= {"JOBRECON_APPLICATION_URN": "1002", "JOBRECON_CLIENT_ID": "78beta", "JOBRECON_CLIENT_SECRET": "beta-secret"}
    finished = user.run("run", "--as-of", NOW.isoformat())
    assert finished.returncode == 0, finished.stderr
    assert user.read("select application_urn, external_job_posting_id, status from job_tasks") == [(BETA, "job-1", "SUCCEEDED")]
    assert user.read("select count(*) from rejected_rows") == [(0,)]


@pytest.mark.parametrize(
    "address", ["postgres://me:hush-hush-hush@127.0.0.1:1/tasks", "postgresql://me@127.0.0.1:1/t?password=hush-hush-hush"]
)
def test_a_task_source_that_is_down_ends_the_run_with_1_and_prints_no_password(user: User, address: str) -> None:
    user.environment |= {"JOBRECON_TASK_SOURCE_URL": address, "JOBRECON_TASK_SOURCE_QUERY": "select * from t where requested_at >= :since"}
    finished = user.run("run", "--as-of", NOW.isoformat())
    assert finished.returncode == 1
    assert "The task source cannot be read: " in finished.stderr
    assert user.read("select state, incomplete_reasons like 'The task source cannot be read%' from runs") == [("INCOMPLETE", True)]
    assert "hush-hush" not in finished.stdout + finished.stderr + str(user.read("from runs"))
