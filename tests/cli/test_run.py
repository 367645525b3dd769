"""`jobrecon run`: exit status, repeated runs, and that a failure of one part neither hides nor invents findings."""

import sqlite3
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from jobrecon.clock import utc_now
from tests.cli.conftest import ACME, BETA, NOW, SECRET, MakeUser, Rows, User

TABLES = (
    "job_tasks",
    "task_status_changes",
    "notifications",
    "job_postings",
    "findings",
    "error_catalog",
    "customers",
    "rejected_rows",
)
POLLS = "exclude (poll_count, last_polled_at)"
TWO_APPLICATIONS = f"""
[[applications]]
urn = "{ACME}"
client_id = "78acme"
client_secrets = ["env:ACME_SECRET"]
customer = "Acme"
[[applications]]
urn = "{BETA}"
client_id = "78beta"
client_secrets = ["env:BETA_SECRET"]
customer = "Beta"
"""


def run_at(user: User, timestamp: datetime = NOW) -> subprocess.CompletedProcess[str]:
    return user.run("run", "--as-of", timestamp.isoformat())


def snapshot(user: User) -> dict[str, Rows]:
    return {table: user.read(f"select * {POLLS if table == 'job_tasks' else ''} from {table} order by all") for table in TABLES}


@pytest.fixture
def two(make_user: MakeUser) -> User:
    """A user with two customers."""
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="", ACME_SECRET=SECRET, BETA_SECRET="beta-secret")
    (user.folder / "applications.toml").write_text(TWO_APPLICATIONS, encoding="utf-8")
    return user


def post_some(user: User) -> None:
    user.post("job-ok")
    user.post("job-failed", status="FAILED", error="Job description is too short.")
    user.post("job-stuck", settles_at=(NOW + timedelta(days=1)).timestamp())
    assert user.run("tasks", "import", user.write_tasks()).returncode == 0


def test_a_run_polls_and_updates_findings_and_publishes(user: User) -> None:
    post_some(user)
    finished = run_at(user)
    assert finished.returncode == 0
    assert "3 of 3 due tasks polled with 1 call, 2 settled" in finished.stdout
    assert str(user.published) in finished.stdout
    assert user.read("select external_job_posting_id, kind from findings order by 1") == [("job-failed", "FAILED"), ("job-stuck", "STUCK")]
    assert user.read("select state, tasks_polled, tasks_settled, calls_used from runs") == [("COMPLETED", 3, 2, 1)]


def test_tasks_that_are_not_due_yet_and_where_the_warehouse_lies_are_printed(user: User) -> None:
    post_some(user)
    user.post("job-young", hours_ago=0.01, settles_at=(NOW + timedelta(days=1)).timestamp())
    user.run("tasks", "import", user.write_tasks())
    finished = run_at(user)
    assert "Not due yet: 1 task younger than 5 min.\n" in finished.stdout
    assert f"Warehouse: {user.home / 'warehouse.duckdb'}\n" in finished.stdout
    assert user.read("select tasks_young, tasks_due from runs") == [(1, 3)]
    assert "Not due yet" not in run_at(user, NOW + timedelta(minutes=20)).stdout


def test_a_run_older_than_the_last_is_refused_and_changes_nothing(user: User) -> None:
    post_some(user)
    run_at(user)
    before = snapshot(user), user.read("from runs"), user.published.read_bytes()
    refused = run_at(user, NOW - timedelta(seconds=1))
    assert refused.returncode == 2
    assert "older than the last one" in refused.stderr
    assert (snapshot(user), user.read("from runs"), user.published.read_bytes()) == before


def test_the_same_as_of_again_changes_nothing_but_its_own_row(user: User) -> None:
    post_some(user)
    run_at(user)
    before = snapshot(user)
    assert run_at(user).returncode == 0
    assert snapshot(user) == before
    assert user.read("select state, findings_opened, findings_resolved, findings_open from runs order by started_at") == [
        ("COMPLETED", 2, 0, 2),
        ("COMPLETED", 0, 0, 2),
    ]


def test_an_as_of_ahead_of_the_clock_is_2_unless_allowed(user: User) -> None:
    post_some(user)
    ahead = (utc_now() + timedelta(minutes=6)).isoformat()
    refused = user.run("run", "--as-of", ahead)
    assert refused.returncode == 2
    assert "lies ahead of this machine's clock" in refused.stderr
    assert "--allow-future" in refused.stderr
    assert not user.published.exists()
    assert user.run("run", "--as-of", (utc_now() + timedelta(minutes=4)).isoformat()).returncode == 0
    assert user.run("run", "--as-of", ahead, "--allow-future").returncode == 0
    assert user.read("select count(*) from runs") == [(2,)]


def test_pending_tasks_of_an_application_that_is_not_configured_make_the_run_incomplete_by_name(two: User) -> None:
    two.post("job-1")
    two.post("job-2", application=BETA)
    two.run("tasks", "import", two.write_tasks())
    applications = two.folder / "applications.toml"
    text = applications.read_text(encoding="utf-8")
    applications.write_text("[[applications]]".join(text.split("[[applications]]")[:2]), encoding="utf-8")
    finished = run_at(two)
    assert finished.returncode == 1
    assert finished.stderr == (
        f"INCOMPLETE: {BETA} is not configured, but 1 of its tasks are pending: nobody polls them. Add it to applications.toml, or mark it "
        "as retired there.\n"
    )
    assert two.read("select state from runs") == [("INCOMPLETE",)]
    # Settled tasks of a customer who left are no reason.
    applications.write_text(text, encoding="utf-8")
    assert run_at(two, NOW + timedelta(minutes=2)).returncode == 0
    applications.write_text("[[applications]]".join(text.split("[[applications]]")[:2]), encoding="utf-8")
    assert run_at(two, NOW + timedelta(minutes=4)).returncode == 0


def test_an_as_of_without_offset_is_utc(user: User) -> None:
    assert user.run("run", "--as-of", NOW.replace(tzinfo=None).isoformat()).returncode == 0
    assert user.read("select as_of from runs") == [(NOW,)]


def test_linkedin_out_of_reach_is_1_published_and_no_false_all_clear(user: User) -> None:
    post_some(user)
    run_at(user)
    user.environment["JOBRECON_API_URL"] = "http://127.0.0.1:9"
    later = NOW + timedelta(minutes=4)
    # The stuck task is polled again; the failed one is superseded by a request whose outcome cannot be seen.
    user.post("job-failed", hours_ago=0.5)
    user.run("tasks", "import", user.write_tasks())
    finished = run_at(user, later)
    assert finished.returncode == 1
    assert finished.stderr.count("is fetched by the next run") == 1
    assert finished.stderr.startswith("INCOMPLETE: ")
    assert user.read("select external_job_posting_id, kind, resolved_at from findings order by 1") == [
        ("job-failed", "FAILED", None),
        ("job-stuck", "STUCK", None),
    ]
    assert user.read("select as_of, state from runs order by as_of") == [(NOW, "COMPLETED"), (later, "INCOMPLETE")]


def test_a_failing_application_stops_no_other(two: User) -> None:
    two.post("job-1")
    two.post("job-2", application=BETA)
    two.run("tasks", "import", two.write_tasks())
    two.world.faults.forbidden_applications = [ACME]
    finished = run_at(two)
    assert finished.returncode == 1
    assert ACME in finished.stderr
    assert BETA not in finished.stderr
    assert two.read("select application_urn, state from job_tasks order by 1") == [(ACME, "PENDING"), (BETA, "SETTLED")]


def test_a_wrong_secret_is_1_and_is_written_nowhere(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_SECRET="wrong-but-just-as-secret")
    post_some(user)
    finished = user.run("run", "--as-of", NOW.isoformat())
    assert finished.returncode == 1
    assert "gives no token" in finished.stderr
    assert ACME in finished.stderr
    assert "wrong-but-just-as-secret" not in finished.stdout + finished.stderr
    files = [path for path in user.home.rglob("*") if path.is_file()]
    assert user.published in files
    assert not [path for path in files if b"wrong-but-just-as-secret" in path.read_bytes()]


def test_a_missing_secret_is_1_with_its_name_and_the_others_go_on(two: User) -> None:
    del two.environment["ACME_SECRET"]
    two.post("job-1")
    two.post("job-2", application=BETA)
    two.run("tasks", "import", two.write_tasks())
    finished = run_at(two)
    assert finished.returncode == 1
    assert "The environment variable ACME_SECRET, which a client secret refers to, is not set" in finished.stderr
    assert two.read("select state, incomplete_reasons like '%ACME_SECRET%' from runs") == [("INCOMPLETE", True)]
    assert two.read("select state from job_tasks order by application_urn") == [("PENDING",), ("SETTLED",)]


def test_no_application_is_2(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    finished = run_at(user)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "No application is configured" in finished.stderr


@pytest.mark.parametrize(
    "content",
    ["[[applications]", '[[applications]]\nurn = "u"\n', '[[applications]]\nurn="u"\nclient_id="c"\nclient_secrets=["hush-hush"]\n'],
)
def test_applications_that_cannot_be_read_are_2_and_print_no_secret(make_user: MakeUser, content: str) -> None:
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    (user.folder / "applications.toml").write_text(content, encoding="utf-8")
    finished = run_at(user)
    assert finished.returncode == 2
    assert "applications.toml" in finished.stderr
    assert "hush-hush" not in finished.stderr


def test_due_tasks_beyond_the_days_calls_are_reported(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_DAILY_CALL_LIMIT="1", JOBRECON_QUERY_STRING_LIMIT="80")
    post_some(user)
    finished = run_at(user)
    assert finished.returncode == 0
    assert "0 calls left today; 2 due tasks left for the next run" in finished.stdout
    assert user.world.applications[ACME].calls["simpleJobPostingTasks"].total == 1
    assert user.read("select call_limit, calls_used from call_budget") == [(1, 1)]


def serve_tasks(user: User) -> None:
    """The partner's own database, with what was posted so far."""
    with sqlite3.connect(user.folder / "partner.db") as partner:
        partner.execute("create table if not exists requests (task_urn, external_job_posting_id, operation, requested_at, location, title)")
        partner.executemany(
            "insert into requests values (:task_urn, :external_job_posting_id, :operation, :requested_at, :location, :title)", user.posted
        )
    partner.close()
    user.posted.clear()


def test_a_task_source_is_pulled_and_a_missing_one_is_1_and_does_not_stop_the_run(user: User) -> None:
    user.environment["JOBRECON_TASK_SOURCE_URL"] = f"sqlite:///{user.folder / 'partner.db'}"
    user.environment["JOBRECON_TASK_SOURCE_QUERY"] = "select * from requests where requested_at >= :since"
    user.post("job-1")
    serve_tasks(user)
    assert run_at(user).returncode == 0
    assert user.read("select external_job_posting_id, status from job_tasks") == [("job-1", "SUCCEEDED")]

    (user.folder / "partner.db").rename(user.folder / "away.db")
    away = run_at(user, NOW + timedelta(minutes=2))
    assert away.returncode == 1
    assert "INCOMPLETE" in away.stdout
    assert away.stderr.count("The task source cannot be read") == 1

    (user.folder / "partner.db").unlink(missing_ok=True)
    (user.folder / "away.db").rename(user.folder / "partner.db")
    user.post("job-2", hours_ago=0.1)
    serve_tasks(user)
    assert run_at(user, NOW + timedelta(minutes=4)).returncode == 0
    assert user.read("select external_job_posting_id from job_tasks order by 1") == [("job-1",), ("job-2",)]
    assert user.read("select state, pulled_at from runs order by as_of") == [
        ("COMPLETED", NOW),
        ("INCOMPLETE", NOW),
        ("COMPLETED", NOW + timedelta(minutes=4)),
    ]


def test_half_a_task_source_is_2(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_TASK_SOURCE_URL="sqlite:///partner.db")
    finished = run_at(user)
    assert finished.returncode == 2
    assert "JOBRECON_TASK_SOURCE_QUERY" in finished.stderr


def test_a_landing_database_out_of_reach_is_reported_and_no_call_is_made(make_user: MakeUser) -> None:
    user = make_user()
    post_some(user)
    (user.folder / "file").touch()
    user.environment["JOBRECON_LANDING_URL"] = f"sqlite:///{user.folder / 'file' / 'landing.db'}"
    finished = run_at(user)
    assert finished.returncode == 1
    assert "landing database" in finished.stderr
    assert user.world.applications[ACME].calls["simpleJobPostingTasks"].total == 0
    assert user.read("select state from runs") == [("INCOMPLETE",)]


def test_a_run_warns_of_what_is_no_mail_address(user: User) -> None:
    user.environment["JOBRECON_MAIL_TO"] = "Dana <dana@example.com>, lee(at)example.com"
    post_some(user)
    finished = run_at(user)
    assert finished.returncode == 0
    assert "No mail address: 'lee(at)example.com' in JOBRECON_MAIL_TO." in finished.stderr
    assert "dana@" not in finished.stderr


def test_commands_work_in_a_home_of_any_name(make_user: MakeUser, tmp_path: Path) -> None:
    user = make_user(JOBRECON_HOME=str(tmp_path / "100% (#1) 'it' \"q\" [x] ö"))
    post_some(user)
    assert run_at(user).returncode == 0
    assert user.run("report").returncode == 0
    assert {path.name for path in user.settings.home.iterdir()} >= {"landing.db", "warehouse.duckdb", "published", "reports"}
    user.environment["JOBRECON_HOME"] = str(tmp_path / "what?")
    refused = user.run("budget")
    assert (refused.returncode, "JOBRECON_HOME: must not hold a question mark" in refused.stderr) == (2, True)
