"""`jobrecon demo`: two days, the lines it prints, and a home with which nothing real mixes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from jobrecon.demo.guard import ENDED_API_URL
from jobrecon.demo.home import write_demo_file
from tests.cli.conftest import ACME, MakeUser, User

pytestmark = pytest.mark.timeout(600)

DEMO = "import pathlib; from jobrecon.demo.two_days import run_demo; run_demo(pathlib.Path('demo'), job_count=150)"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which a small demo has run, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-c", DEMO], cwd=folder, env=environment, capture_output=True, text=True, timeout=550, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def run_line(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_"))}
    return subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.prefect
def test_the_demo_writes_a_report_and_the_lines_it_prints_work(demo: tuple[Path, str]) -> None:
    folder, printed = demo
    _, _, lines = printed.partition("Try next:\n")
    commands = [line.strip() for line in lines.splitlines()]
    assert len(commands) == 3
    for command in commands:
        done = run_line(folder, command)
        assert done.returncode == 0, (command, done.stderr)
    (day,) = sorted((folder / "demo" / "reports").iterdir())[-1:]
    assert (day / "index.html").is_file()
    assert json.loads((day / "summary.json").read_text(encoding="utf-8"))["complete"] is True
    with duckdb.connect(folder / "demo" / "published" / "jobrecon.duckdb", read_only=True) as published:
        assert published.execute("select count(*) > 100, count(distinct application_urn) from job_postings").fetchall() == [(True, 5)]


@pytest.mark.prefect
def test_after_the_demo_nothing_can_be_run_in_its_home(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    done = run_line(folder, f"JOBRECON_HOME=demo {sys.executable} -m jobrecon run")
    assert done.returncode == 2
    assert "its fake LinkedIn has ended" in done.stderr


@pytest.fixture
def demo_user(make_user: MakeUser) -> User:
    """A user whose home is that of a demo that has ended, with nothing else configured."""
    user = make_user()
    for name in [name for name in user.environment if name.startswith("JOBRECON_") and name != "JOBRECON_HOME"]:
        del user.environment[name]
    user.home.mkdir()
    (user.home / "applications.toml").write_text(
        f'[[applications]]\nurn = "{ACME}"\nclient_id = "demo1"\nclient_secrets = ["env:NONE"]\n', encoding="utf-8"
    )
    values = {"JOBRECON_APPLICATIONS": str(user.home / "applications.toml"), "JOBRECON_API_URL": ENDED_API_URL}
    write_demo_file(user.home, values)
    return user


def test_a_demos_home_brings_its_own_settings(demo_user: User) -> None:
    (demo_user.folder / ".env").write_text("JOBRECON_APPLICATIONS=mine.toml\nJOBRECON_CLIENT_ID=mine\n", encoding="utf-8")
    shown = json.loads(demo_user.run("budget", "--json").stdout)
    assert {row["application_urn"] for row in shown["applications"]} == {ACME}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBRECON_API_URL", "https://api.linkedin.com"),
        ("JOBRECON_APPLICATIONS", "applications.toml"),
        ("JOBRECON_CLIENT_ID", "78acme"),
        ("JOBRECON_WAREHOUSE", "real.duckdb"),
        ("JOBRECON_TASK_SOURCE_URL", "sqlite:///real.db"),
        ("JOBRECON_SMTP_URL", "smtp://mail.example.com"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["tasks", "import", "tasks.csv"], ["report"], ["budget"], ["webhook"]], ids=" ".join)
def test_real_settings_do_not_mix_with_a_demos_home(demo_user: User, name: str, value: str, command: list[str]) -> None:
    demo_user.environment[name] = value
    before = sorted(demo_user.home.rglob("*"))
    finished = demo_user.run(*command)
    assert finished.returncode == 2
    assert name in finished.stderr
    assert "is a demo's home" in finished.stderr
    assert sorted(demo_user.home.rglob("*")) == before


def test_tasks_of_other_applications_are_not_imported_into_a_demos_home(demo_user: User) -> None:
    file = demo_user.folder / "tasks.csv"
    file.write_text(
        "task_urn,external_job_posting_id,operation,requested_at,application_urn\nt1,j1,CREATE,2025-05-05,urn:li:developerApplication:77\n",
        encoding="utf-8",
    )
    demo_user.run("tasks", "import", file)
    assert demo_user.read("select count(*) from job_tasks", demo_user.home / "warehouse.duckdb") == [(0,)]


@pytest.mark.parametrize("entry", ["warehouse.duckdb", "notes.txt"])
def test_the_demo_refuses_a_folder_that_is_not_a_demos(user: User, entry: str) -> None:
    user.home.mkdir()
    (user.home / entry).write_text("mine", encoding="utf-8")
    finished = user.run("demo", "--home", user.home)
    assert finished.returncode == 2
    assert "Nothing was changed" in finished.stderr
    assert (user.home / entry).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("home", ["file/demo", "/proc/demo"])
def test_a_folder_that_cannot_be_written_is_an_error_that_says_so(user: User, home: str) -> None:
    (user.folder / "file").touch()
    finished = user.run("demo", "--home", home)
    assert finished.returncode == 2
    assert f"The demo cannot write to {home}" in finished.stderr
