"""Help, exit status and JSON: what scripts rely on."""

import json
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pytest
from typer.testing import CliRunner

from jobrecon.cli.app import app
from tests.cli.conftest import ACME, NOW, MakeUser, User

COMMANDS = [
    ["demo"],
    ["tasks", "import"],
    ["notifications", "import"],
    ["run"],
    ["report"],
    ["explain"],
    ["budget"],
    ["doctor"],
    ["init"],
    ["webhook"],
    ["webhook", "redrive"],
    ["sandbox"],
]


def parse_json(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Stdout, which must be one JSON object."""
    value = json.loads(finished.stdout)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_each_command_shows_an_example(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="jobrecon")
    assert shown.exit_code == 0
    _, _, example = " ".join(shown.output.split()).partition("Example: ")
    assert f"jobrecon {' '.join(command)}" in example


def test_the_list_of_commands_is_complete() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert all(command[0] in shown.output for command in COMMANDS)


def test_the_version_is_printed(user: User) -> None:
    finished = user.run_process("--version")
    assert (finished.returncode, finished.stdout) == (0, f"jobrecon {version('jobrecon')}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["run", "--as-of", "yesterday"],
        ["report", "--date", "2026-13-01"],
        ["tasks", "import"],
        ["explain"],
        ["run", "--no-such"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_prints_nothing_on_stdout(user: User, arguments: list[str]) -> None:
    finished = user.run(*arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.strip()
    assert not user.home.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("JOBRECON_CONCURRENCY", "many"), ("JOBRECON_TIMEZONE", "Mars/Olympus"), ("JOBRECON_QUERY_STRING_LIMIT", "-1")],
)
def test_an_invalid_setting_is_2_and_named(make_user: MakeUser, name: str, value: str) -> None:
    finished = make_user(**{name: value}).run("run")
    assert finished.returncode == 2
    assert name in finished.stderr


def test_a_dotenv_file_in_the_working_directory_is_read(user: User) -> None:
    (user.folder / ".env").write_text("JOBRECON_STUCK_AFTER=never\n", encoding="utf-8")
    finished = user.run("run")
    assert finished.returncode == 2
    assert "JOBRECON_STUCK_AFTER" in finished.stderr


def test_each_json_is_one_object_on_stdout_and_logs_are_on_stderr(make_user: MakeUser) -> None:
    # A task source that is not reachable makes the run incomplete, which it says on stderr.
    user = make_user(JOBRECON_TASK_SOURCE_URL="sqlite:////nowhere/tasks.db", JOBRECON_TASK_SOURCE_QUERY="select 1")
    user.post("job-1", status="FAILED", error="Job description is too short: it should be at least 100 characters.")
    assert user.run("tasks", "import", user.write_tasks()).returncode == 0

    run = user.run_process("run", "--as-of", NOW.isoformat(), "--json")
    summary = parse_json(run)
    assert run.stderr.count("INCOMPLETE: The task source cannot be read") == 1
    assert (summary["state"], summary["as_of"], summary["published"]) == ("INCOMPLETE", NOW.isoformat(), str(user.published))
    assert (summary["tasks_due"], summary["tasks_polled"], summary["tasks_settled"], summary["findings_opened"]) == (1, 1, 1, 1)
    assert run.returncode == 1

    (timeline,) = parse_json(user.run("explain", "job-1", "--json"))["jobs"]
    assert (timeline["application_urn"], timeline["as_of"], timeline["now"]["last_task_status"]) == (ACME, NOW.isoformat(), "FAILED")
    assert [event["event"] for event in timeline["events"]] == ["request", "poll", "finding"]
    assert timeline["next_actions"] == [timeline["open_findings"][0]["next_action"]]

    budget = parse_json(user.run("budget", "--json"))
    assert sum(budget["applications"][0].pop("calls_by_hour")) == 1
    assert budget["applications"][0] | {"customer": None} == {
        "application_urn": ACME,
        "customer": None,
        "resource": "simpleJobPostingTasks",
        "call_limit": 300_000,
        "calls_used": 1,
        "calls_left": 299_999,
        "exhausted_at": None,
        "throttled_until": None,
    }

    doctor = parse_json(user.run("doctor", "--json"))
    assert [item["name"] for item in doctor["checks"] if item["state"] == "FAIL"] == ["task source"]
    assert doctor["ok"] is False
    assert {"name", "state", "detail", "remedy"} == set(doctor["checks"][0])

    report = parse_json(user.run("report", "--json", "--date", str(NOW.date())))
    assert (report["date"], report["roll_forward"]["open_now"]) == (str(NOW.date()), 1)


def test_an_error_leaves_the_json_stream_empty(user: User) -> None:
    finished = user.run_process("run", "--as-of", "soon", "--json")
    assert (finished.returncode, finished.stdout) == (2, "")


def test_plain_output_is_lines_without_colour_or_folding(user: User) -> None:
    user.post("job-" + "x" * 150)
    user.run("tasks", "import", user.write_tasks())
    finished = user.run_process("run", "--as-of", NOW.isoformat())
    assert "\x1b" not in finished.stdout + finished.stderr
    assert finished.stdout.splitlines()[0].startswith("COMPLETED, as of ")
    shown = user.run("explain", "job-" + "x" * 150)
    assert "job-" + "x" * 150 in shown.stdout


def test_budget_names_used_and_left_calls(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_DAILY_CALL_LIMIT="5")
    user.post("job-1", settles_at=(NOW + timedelta(days=1)).timestamp())
    user.run("tasks", "import", user.write_tasks())
    user.run("run", "--as-of", NOW.isoformat())
    shown = user.run("budget")
    assert shown.returncode == 0
    tasks, checks = (line.split() for line in shown.stdout.splitlines()[-2:])
    assert tasks[:6] == [ACME, ACME, "simpleJobPostingTasks", "5", "1", "4"]
    assert tasks[-1].count("█") == 1
    assert checks[2] == "jobPostingStatus"


def test_budget_without_any_application_is_2(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_CLIENT_ID="", JOBRECON_APPLICATION_URN="")
    assert user.run("budget").returncode == 2


def test_help_loads_none_of_the_libraries_that_a_run_needs() -> None:
    heavy = "{'duckdb', 'httpx', 'jinja2', 'numpy', 'pyarrow', 'sqlalchemy'}"
    program = f"import sys, jobrecon.cli; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_a_run_loads_none_of_the_libraries_of_reports(make_user: MakeUser) -> None:
    """A run every few minutes would import them every few minutes."""
    finished = make_user(PYTHONPROFILEIMPORTTIME="1").run_process("run")
    loaded = {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines() if line.startswith("import time:")}
    assert "duckdb" in loaded
    assert not loaded & {"apprise", "jinja2", "psycopg", "xlsxwriter", "jobrecon.reports.report"}
