"""`jobrecon run`: exit statuses, what a second run changes, and that one trouble neither hides nor invents anything."""

import sqlite3
from datetime import timedelta

import pytest

from tests.cli.conftest import ACME, BETA, NOW, SECRET, Rows, User

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


def run(user: User, moment=NOW):
    return user.types("run", "--as-of", moment.isoformat())


def snapshot(user: User) -> dict[str, Rows]:
    return {table: user.reads(f"select * {POLLS if table == 'job_tasks' else ''} from {table} order by all") for table in TABLES}


@pytest.fixture
def two(make_user) -> User:
    """A user with two customers."""
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="", ACME_SECRET=SECRET, BETA_SECRET="beta-secret")
    (user.folder / "applications.toml").write_text(TWO_APPLICATIONS, encoding="utf-8")
    return user


def post_some(user: User) -> None:
    user.posts("job-ok")
    user.posts("job-failed", status="FAILED", error="Job description is too short.")
    user.posts("job-stuck", settles_at=(NOW + timedelta(days=1)).timestamp())
    assert user.types("tasks", "import", user.write_tasks()).returncode == 0


def test_a_run_asks_and_finds_and_publishes(user: User):
    post_some(user)
    finished = run(user)
    assert finished.returncode == 0
    assert "3 of 3 due tasks polled with 1 calls, 2 settled" in finished.stdout
    assert str(user.published) in finished.stdout
    assert user.reads("select external_job_posting_id, kind from findings order by 1") == [("job-failed", "FAILED"), ("job-stuck", "STUCK")]
    assert user.reads("select state, tasks_polled, tasks_settled, calls_used from runs") == [("COMPLETED", 3, 2, 1)]


def test_a_run_older_than_the_last_is_refused_and_changes_nothing(user: User):
    post_some(user)
    run(user)
    before = snapshot(user), user.reads("from runs"), user.published.read_bytes()
    refused = run(user, NOW - timedelta(seconds=1))
    assert refused.returncode == 2
    assert "older than the last one" in refused.stderr
    assert (snapshot(user), user.reads("from runs"), user.published.read_bytes()) == before


def test_the_same_moment_again_changes_nothing_but_its_own_row(user: User):
    post_some(user)
    run(user)
    before = snapshot(user)
    assert run(user).returncode == 0
    assert snapshot(user) == before
    assert user.reads("select state, findings_opened, findings_resolved, findings_open from runs order by started_at") == [
        ("COMPLETED", 2, 0, 2),
        ("COMPLETED", 0, 0, 2),
    ]


def test_a_moment_without_offset_is_utc(user: User):
    assert user.types("run", "--as-of", NOW.replace(tzinfo=None).isoformat()).returncode == 0
    assert user.reads("select as_of from runs") == [(NOW,)]


def test_linkedin_out_of_reach_is_1_published_and_no_false_all_clear(user: User):
    post_some(user)
    run(user)
    user.environment["JOBRECON_API_URL"] = "http://127.0.0.1:9"
    later = NOW + timedelta(minutes=20)
    # The stuck one is looked at again; the failed one is superseded by a request whose outcome nobody can see.
    user.posts("job-failed", hours_ago=0.5)
    user.types("tasks", "import", user.write_tasks())
    finished = run(user, later)
    assert finished.returncode == 1
    assert "does not answer" in finished.stderr
    assert "are asked about by the next run" in finished.stderr
    assert user.reads("select external_job_posting_id, kind, resolved_at from findings order by 1") == [
        ("job-failed", "FAILED", None),
        ("job-stuck", "STUCK", None),
    ]
    assert user.reads("select as_of, state from runs order by as_of") == [(NOW, "COMPLETED"), (later, "INCOMPLETE")]


def test_one_customers_trouble_stops_no_other(two: User):
    two.posts("job-1")
    two.posts("job-2", application=BETA)
    two.types("tasks", "import", two.write_tasks())
    two.world.faults.forbidden_applications = [ACME]
    finished = run(two)
    assert finished.returncode == 1
    assert ACME in finished.stderr
    assert BETA not in finished.stderr
    assert two.reads("select application_urn, state from job_tasks order by 1") == [(ACME, "PENDING"), (BETA, "SETTLED")]


def test_a_wrong_secret_is_1_and_stands_nowhere(make_user):
    user = make_user(JOBRECON_CLIENT_SECRET="wrong-but-just-as-secret")
    post_some(user)
    finished = user.launches("run", "--as-of", NOW.isoformat())
    assert finished.returncode == 1
    assert "gives no token" in finished.stderr
    assert ACME in finished.stderr
    assert "wrong-but-just-as-secret" not in finished.stdout + finished.stderr
    files = [path for path in user.home.rglob("*") if path.is_file()]
    assert user.published in files
    assert not [path for path in files if b"wrong-but-just-as-secret" in path.read_bytes()]


def test_a_missing_secret_is_1_with_its_name_and_the_others_go_on(two: User):
    del two.environment["ACME_SECRET"]
    two.posts("job-1")
    two.posts("job-2", application=BETA)
    two.types("tasks", "import", two.write_tasks())
    finished = run(two)
    assert finished.returncode == 1
    assert "The environment variable ACME_SECRET is not set" in finished.stderr
    assert two.reads("select state, incomplete_reasons like '%ACME_SECRET%' from runs") == [("INCOMPLETE", True)]
    assert two.reads("select state from job_tasks order by application_urn") == [("PENDING",), ("SETTLED",)]


def test_no_application_is_2(make_user):
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    finished = run(user)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "No application is configured" in finished.stderr


@pytest.mark.parametrize(
    "content",
    ["[[applications]", '[[applications]]\nurn = "u"\n', '[[applications]]\nurn="u"\nclient_id="c"\nclient_secrets=["hush-hush"]\n'],
)
def test_applications_that_cannot_be_read_are_2_and_print_no_secret(make_user, content):
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    (user.folder / "applications.toml").write_text(content, encoding="utf-8")
    finished = run(user)
    assert finished.returncode == 2
    assert "applications.toml" in finished.stderr
    assert "hush-hush" not in finished.stderr


def test_what_the_days_calls_do_not_suffice_for_is_said(make_user):
    user = make_user(JOBRECON_DAILY_CALL_LIMIT="1", JOBRECON_QUERY_STRING_LIMIT="80")
    post_some(user)
    finished = run(user)
    assert finished.returncode == 0
    assert "0 calls left today; 2 due tasks left for the next run" in finished.stdout
    assert user.world.applications[ACME].calls["simpleJobPostingTasks"].total == 1
    assert user.reads("select call_limit, calls_used from call_budget") == [(1, 1)]


def serve_tasks(user: User) -> None:
    """The partner's own database, with what was posted so far."""
    with sqlite3.connect(user.folder / "partner.db") as partner:
        partner.execute("create table if not exists requests (task_urn, external_job_posting_id, operation, requested_at, location, title)")
        partner.executemany(
            "insert into requests values (:task_urn, :external_job_posting_id, :operation, :requested_at, :location, :title)", user.posted
        )
    partner.close()
    user.posted.clear()


def test_a_task_source_is_pulled_and_where_it_is_away_the_run_goes_on(user: User):
    user.environment["JOBRECON_TASK_SOURCE_URL"] = f"sqlite:///{user.folder / 'partner.db'}"
    user.environment["JOBRECON_TASK_SOURCE_QUERY"] = "select * from requests where requested_at >= :since"
    user.posts("job-1")
    serve_tasks(user)
    assert run(user).returncode == 0
    assert user.reads("select external_job_posting_id, status from job_tasks") == [("job-1", "SUCCEEDED")]

    (user.folder / "partner.db").rename(user.folder / "away.db")
    away = run(user, NOW + timedelta(minutes=10))
    assert away.returncode == 0
    assert "INCOMPLETE" in away.stdout
    assert "The task source cannot be asked" in away.stderr

    (user.folder / "partner.db").unlink(missing_ok=True)
    (user.folder / "away.db").rename(user.folder / "partner.db")
    user.posts("job-2", hours_ago=0.1)
    serve_tasks(user)
    assert run(user, NOW + timedelta(minutes=20)).returncode == 0
    assert user.reads("select external_job_posting_id from job_tasks order by 1") == [("job-1",), ("job-2",)]
    assert user.reads("select state, pulled_at from runs order by as_of") == [
        ("COMPLETED", NOW),
        ("INCOMPLETE", NOW),
        ("COMPLETED", NOW + timedelta(minutes=20)),
    ]


def test_half_a_task_source_is_2(make_user):
    user = make_user(JOBRECON_TASK_SOURCE_URL="sqlite:///partner.db")
    finished = run(user)
    assert finished.returncode == 2
    assert "JOBRECON_TASK_SOURCE_QUERY" in finished.stderr


def test_a_landing_database_out_of_reach_is_said_and_no_call_is_made(make_user):
    user = make_user()
    post_some(user)
    (user.folder / "file").touch()
    user.environment["JOBRECON_LANDING_URL"] = f"sqlite:///{user.folder / 'file' / 'landing.db'}"
    finished = run(user)
    assert finished.returncode == 1
    assert "landing database" in finished.stderr
    assert user.world.applications[ACME].calls["simpleJobPostingTasks"].total == 0
    assert user.reads("select state from runs") == [("INCOMPLETE",)]
