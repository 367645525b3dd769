"""docs/getting-started.md from an empty folder and the built wheel: every command, as written, to a deployment that ran."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import httpx
import pytest

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"<!-- run(?:: ([a-z ]+))? -->\n```bash\n(.*?)```", re.DOTALL)
PORTS = ("8090", "8080", "4200")
START_SECONDS = 240


def find_free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def wait_for_port(port: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            path = "/api/health" if "prefect" in log.name else "/healthz"
            if httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=5).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"nothing serves on port {port} after {START_SECONDS} s: {log.read_text(encoding='utf-8')}")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user who has installed the built wheel, and nothing else of ours."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, command in (("jobrecon", "-m jobrecon"), ("python3", ""), ("prefect", "-m prefect")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_", "PYTHON"))}
    return kept | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(tmp_path / "site"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
        "NO_PROXY": "*",
    }


@pytest.fixture
def terminals() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def open_terminal(terminals: ExitStack, command: str, folder: Path, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a command that runs until the test ends, as in a terminal of its own."""
    with log.open("wb") as output:
        # exec: what is stopped is the program, not the shell.
        script = re.sub(r"^((?:\w+=\S+ )*)", r"exec env \1", command.strip())
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )

    def stop() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=20)

    terminals.callback(stop)
    return process


def test_every_command_of_the_page_works_from_an_empty_folder(tmp_path: Path, environment: dict[str, str], terminals: ExitStack) -> None:
    page = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    ports = {port: find_free_port() for port in PORTS}
    for port, free in ports.items():
        page = page.replace(f":{port}", f":{free}").replace(f"--port {port}", f"--port {free}")
    folder = tmp_path / "deployment"
    folder.mkdir()
    printed = {}
    for number, (mode, commands) in enumerate(BLOCK.findall(page)):
        if mode == "background":
            log = tmp_path / f"{number}-{commands.split()[0] if '=' not in commands.split()[0] else 'worker'}.log"
            if "sandbox" in commands:
                commands = commands.replace("jobrecon sandbox", f"jobrecon sandbox --port {ports['8090']}")
            process = open_terminal(terminals, commands, folder, environment, log)
            for word, port in (("sandbox", "8090"), ("webhook --port", "8080"), ("server start", "4200")):
                if word in commands:
                    wait_for_port(ports[port], process, log)
            continue
        script = "set -euo pipefail\n" + commands.replace("curl -s", "curl -sf")
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0 or mode == "may fail", f"{commands}\n{done.stdout}\n{done.stderr}"
        printed[number] = done.stdout
        if number == 0:
            # The server and the worker of this test are not those of another one.
            file = folder / ".env"
            text = file.read_text(encoding="utf-8").replace(":4200", f":{ports['4200']}")
            file.write_text(text.replace("PORT=4200", f"PORT={ports['4200']}"), encoding="utf-8")
            assert "jobrecon.flows.reconcile.reconcile" in (folder / "prefect.yaml").read_text(encoding="utf-8")
    output = "\n".join(printed.values())
    assert "tasks.json: 3 " in output
    assert "FAIL credentials" not in output
    with duckdb.connect(folder / "var" / "published" / "jobrecon.duckdb", read_only=True) as published:
        assert published.execute("select external_job_posting_id, status from job_tasks order by all").fetchall() == [
            ("job-2", "IN_PROGRESS"),
            ("job-23", "FAILED"),
            ("job-4", "SUCCEEDED"),
        ]
        runs = published.execute("select state, flow_run_id is not null from runs order by started_at").fetchall()
    assert {state for state, _ in runs} == {"COMPLETED"}
    # On a slow machine the schedule starts runs of its own meanwhile.
    assert [is_prefect for _, is_prefect in runs[:2]] == [False, True]
