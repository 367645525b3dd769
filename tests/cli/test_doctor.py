"""`jobrecon doctor`: each check, and how to fix what it finds."""

import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from jobrecon.demo.guard import ENDED_API_URL
from jobrecon.demo.home import write_demo_file
from jobrecon.sandbox import SandboxApplication
from jobrecon.sandbox.applications import ApplicationState
from tests.cli.conftest import ACME, NOW, SECRET, MakeUser, User


def check(finished: subprocess.CompletedProcess[str], name: str) -> str:
    """The line of a check."""
    return next(line for line in finished.stdout.splitlines() if line[4:].strip().startswith(f"{name}: "))


def test_doctor_finds_nothing_wrong_with_a_sandbox(user: User) -> None:
    user.run("run")
    finished = user.run("doctor")
    assert finished.returncode == 0, finished.stdout
    lines = finished.stdout.splitlines()
    assert not [line for line in lines if line.startswith("FAIL")]
    for name in ("configuration", "application", "credentials", "clock", "disk", "warehouse", "published copy", "landing database", "mail"):
        assert check(finished, name).startswith("OK")
    assert all("Prefect" in line or "webhook" in line for line in lines if line.startswith("WARN"))


def test_doctor_fails_for_a_wrong_secret_and_prints_it_nowhere(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_SECRET="wrong-but-just-as-secret")
    finished = user.run("doctor")
    assert finished.returncode == 1
    (line,) = [line for line in finished.stdout.splitlines() if line.startswith("FAIL")]
    assert "credentials" in line
    assert ACME in line
    assert "wrong-but-just-as-secret" not in finished.stdout + finished.stderr
    assert SECRET not in finished.stdout + finished.stderr


def test_doctor_says_how_to_configure_the_first_application(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    finished = user.run("doctor")
    assert finished.returncode == 1
    assert "JOBRECON_CLIENT_ID" in finished.stdout


def test_doctor_continues_after_a_failed_check(user: User) -> None:
    user.home.mkdir()
    (user.home / "warehouse.duckdb").write_bytes(b"no database" * 1000)
    finished = user.run("doctor")
    assert finished.returncode == 1
    assert [line.split(":")[0] for line in finished.stdout.splitlines() if line.startswith("FAIL")] == ["FAIL warehouse"]
    assert "landing database" in finished.stdout


@pytest.mark.parametrize(("ahead", "state"), [(timedelta(hours=1), "FAIL"), (timedelta(hours=-1), None)])
def test_a_last_run_ahead_of_the_clock_fails(user: User, ahead: timedelta, state: str | None) -> None:
    with user.open_warehouse() as warehouse:
        warehouse.connection.execute(
            "insert into runs (run_id, as_of, started_at, state) values ('r', ?, ?, 'COMPLETED')", [NOW + ahead, NOW]
        )
    lines = [line for line in user.run("doctor").stdout.splitlines() if "last run: " in line]
    assert [line[:4] for line in lines] == ([state] if state else [])


def test_a_demos_home_is_named(user: User) -> None:
    user.home.mkdir()
    (user.home / "applications.toml").touch()
    for name in [name for name in user.environment if name.startswith("JOBRECON_") and name != "JOBRECON_HOME"]:
        del user.environment[name]
    write_demo_file(user.home, {"JOBRECON_APPLICATIONS": str(user.home / "applications.toml"), "JOBRECON_API_URL": ENDED_API_URL})
    finished = user.run("doctor")
    assert check(finished, "home").startswith("WARN")
    assert "Set JOBRECON_HOME" in finished.stdout


PARENT_APPLICATION = """
[parent]
client_id = "78parent"
client_secrets = ["env:PARENT_SECRET"]
"""


def test_a_webhook_that_linkedin_has_blocked_fails(user: User) -> None:
    for name in ("JOBRECON_CLIENT_ID", "JOBRECON_CLIENT_SECRET", "JOBRECON_APPLICATION_URN"):
        del user.environment[name]
    user.environment |= {"ACME_SECRET": SECRET, "PARENT_SECRET": "parent-secret", "JOBRECON_APPLICATIONS": "applications.toml"}
    application = f'[[applications]]\nurn = "{ACME}"\nclient_id = "78acme"\nclient_secrets = ["env:ACME_SECRET"]\n'
    (user.folder / "applications.toml").write_text(application + PARENT_APPLICATION, encoding="utf-8")
    user.world.parent = ApplicationState(SandboxApplication("urn:li:developerApplication:1000", "78parent", ["parent-secret"]))
    user.world.webhook_url = "https://jobs.example.com/webhook"
    assert check(user.run("doctor"), "webhook at LinkedIn").startswith("OK")
    user.world.applications[ACME].webhooks.is_blocked = True
    failed = user.run("doctor")
    assert check(failed, "webhook at LinkedIn") == (
        "FAIL webhook at LinkedIn: LinkedIn has blocked https://jobs.example.com/webhook and sends nothing to it"
    )
    user.world.faults.forbidden_resources = ["developerWebhooks"]
    assert check(user.run("doctor"), "webhook at LinkedIn").startswith("WARN")


def test_the_task_source_is_tried(user: User) -> None:
    with sqlite3.connect(user.folder / "partner.db") as partner:
        partner.execute("create table requests (task_urn, external_job_posting_id, operation, requested_at)")
    partner.close()
    user.environment["JOBRECON_TASK_SOURCE_URL"] = f"sqlite:///{user.folder / 'partner.db'}"
    user.environment["JOBRECON_TASK_SOURCE_QUERY"] = "select * from requests where requested_at >= :since"
    assert check(user.run("doctor"), "task source").startswith("OK")
    user.environment["JOBRECON_TASK_SOURCE_QUERY"] = "select * from nothing where requested_at >= :since"
    failed = user.run("doctor")
    assert check(failed, "task source").startswith("FAIL")
    assert failed.returncode == 1


def test_mail_server_and_chat_are_tried(user: User, mail_server: str) -> None:
    user.environment |= {"JOBRECON_SMTP_URL": mail_server, "JOBRECON_MAIL_FROM": "jobs@example.com"}
    user.environment["JOBRECON_CHAT_URL"] = "jsons://chat.example.com/hook"
    finished = user.run("doctor")
    assert check(finished, "mail").startswith("OK")
    assert check(finished, "chat").startswith("OK")
    user.environment |= {"JOBRECON_SMTP_URL": "smtp://127.0.0.1:9?starttls=off", "JOBRECON_CHAT_URL": "no such chat"}
    finished = user.run("doctor")
    assert check(finished, "mail").startswith("FAIL")
    assert check(finished, "chat").startswith("FAIL")


def test_the_prefect_server_is_asked_for_its_health(user: User) -> None:
    user.environment["PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    assert check(user.run("doctor"), "Prefect API").startswith("FAIL")
    # Anything that responds, but not as Prefect does.
    user.environment["PREFECT_API_URL"] = user.environment["JOBRECON_API_URL"]
    assert "HTTP 404" in check(user.run("doctor"), "Prefect API")


def test_a_folder_that_is_not_there_yet_is_no_problem(user: User) -> None:
    user.environment["JOBRECON_HOME"] = str(Path(user.folder / "deep" / "home"))
    assert check(user.run("doctor"), "disk").startswith(("OK", "WARN"))


def test_doctor_names_what_is_no_mail_address(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_MAIL_TO="Boss <boss@example.com>, nonsense", JOBRECON_MAIL_FROM="me@")
    finished = user.run("doctor")
    assert finished.returncode == 1
    failed = [line for line in finished.stdout.splitlines() if line.startswith("FAIL")]
    assert ["'nonsense' in JOBRECON_MAIL_TO" in failed[0], "'me@' in JOBRECON_MAIL_FROM" in failed[1]] == [True, True]


SHARDED = f"""
[[applications]]
urn = "{ACME}"
client_id = "78acme"
client_secrets = ["env:ACME_SECRET"]

[[applications]]
urn = "urn:li:developerApplication:1002"
client_id = "78acme"
client_secrets = ["env:ACME_SECRET"]
shard = "b"
"""


@pytest.fixture
def sharded(user: User) -> User:
    """A user with two customers, each in a shard of its own."""
    for name in ("JOBRECON_CLIENT_ID", "JOBRECON_CLIENT_SECRET", "JOBRECON_APPLICATION_URN"):
        del user.environment[name]
    user.environment |= {"ACME_SECRET": SECRET, "JOBRECON_APPLICATIONS": "applications.toml"}
    (user.folder / "applications.toml").write_text(SHARDED, encoding="utf-8")
    return user


def test_the_shards_of_a_lake_are_checked_before_their_first_run_and_after(sharded: User) -> None:
    user = sharded
    user.environment["JOBRECON_WAREHOUSE"] = f"ducklake:sqlite:{user.folder / 'catalog.sqlite'}"
    finished = user.run("doctor")
    assert finished.returncode == 0, finished.stdout
    assert [line[:4] for line in finished.stdout.splitlines() if "shard b: " in line] == ["OK  ", "WARN"]
    assert "holds no finished run yet" in finished.stdout
    user.run("run", "--shard", "b")
    finished = user.run("doctor")
    assert [line[:4] for line in finished.stdout.splitlines() if "shard b: " in line] == ["OK  ", "OK  "]


def test_of_several_shards_all_are_checked_unless_one_is_named(sharded: User) -> None:
    user = sharded
    user.run("run")
    finished = user.run("doctor")
    assert "OK   shards: all are checked: default, b; --shard checks one" in finished.stdout
    assert "OK   warehouse: the default shard: can be written" in finished.stdout
    missing = user.home / "warehouse-b.duckdb"
    assert f"WARN warehouse: shard b: {missing} does not exist on this machine" in finished.stdout.replace("\n", " ")
    assert "WARN published copy: shard b: " in finished.stdout
    assert check(finished, "joined copy").startswith("WARN")
    assert not missing.exists(), "a check made a warehouse"
    user.run("run", "--shard", "b")
    user.run("gather")
    finished = user.run("doctor")
    assert [line[:4] for line in finished.stdout.splitlines() if "shard b: " in line] == ["OK  ", "OK  "]
    assert check(finished, "joined copy").startswith("OK")
    missing.write_bytes(b"no database" * 1000)
    finished = user.run("doctor")
    assert finished.returncode == 1
    assert "FAIL warehouse: shard b: " in finished.stdout
    only = user.run("doctor", "--shard", "default")
    assert "the default shard: can be written" in only.stdout
    assert "shard b" not in only.stdout
    assert "only the default shard of default, b" in only.stdout
    assert user.run("doctor", "--shard", "c").returncode == 2
