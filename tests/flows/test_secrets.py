"""Client secrets in Prefect blocks: read by a deployed run and by the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import ACME, SECRET, TASKS, Partner
from tests.flows.prefect_stack import PrefectStack

# The first test starts Prefect's server.
pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]

SAVE = """
import sys
from prefect.blocks.system import Secret
from flows.secrets import LinkedInApplication

value = sys.stdin.read()
Secret(value=value).save("acme-secret", overwrite=True)
LinkedInApplication(client_id="78acme", client_secret=value).save("acme", overwrite=True)
"""


@pytest.fixture(scope="module")
def environment(stack: PrefectStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an operator's shell; the blocks are saved."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "JOBRECON_"))}
    environment = inherited | {
        "PREFECT_API_URL": str(stack.api.base_url).rstrip("/"),
        "PREFECT_HOME": str(tmp_path_factory.mktemp("shell")),
    }
    subprocess.run([sys.executable, "-c", SAVE], input=SECRET, text=True, env=environment, check=True, timeout=90)
    return environment


def refer(partner: Partner, reference: str) -> None:
    partner.settings.applications.write_text(
        f'[[applications]]\nurn = "{ACME}"\nclient_id = "78acme"\nclient_secrets = ["{reference}"]\ncustomer = "Acme"\n', encoding="utf-8"
    )


@pytest.mark.parametrize("reference", ["prefect:acme-secret", "prefect:linkedin-application/acme"])
def test_a_deployed_run_reads_its_secret_from_a_block(partner: Partner, environment: dict[str, str], reference: str) -> None:
    refer(partner, reference)
    run = partner.stack.run("reconcile")
    assert run.state == ("COMPLETED", "Completed"), run.message
    assert f"{TASKS} of {TASKS} due tasks polled" in run.message
    assert SECRET not in run.read_log() + str(run.read_artifacts())


def test_a_missing_block_makes_the_run_incomplete_by_name(partner: Partner, environment: dict[str, str]) -> None:
    refer(partner, "prefect:acme-secert")
    run = partner.stack.run("reconcile")
    assert run.state == ("FAILED", "Incomplete")
    assert "The Prefect block acme-secert, which a client secret refers to, cannot be read" in run.wait_for_log("acme-secert")


def test_the_command_line_reads_blocks_too(partner: Partner, environment: dict[str, str], tmp_path: Path) -> None:
    refer(partner, "prefect:acme-secret")
    program = str(Path(sys.executable).with_name("jobrecon"))
    done = subprocess.run(
        [program, "run"], env=environment | partner.variables, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{TASKS} of {TASKS} due tasks polled" in done.stdout.replace("\n", " ")
    assert SECRET not in done.stdout + done.stderr


WITH_A_SERVER_THAT_STOPS = """
import sys
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from flows.secrets import BlockReader
from jobrecon.errors import ConfigurationError

def read(reader):
    try:
        return reader.read("passing").get_secret_value()
    except ConfigurationError:
        return "unreadable"

reader = BlockReader(cache_seconds=0)
Secret(value="first").save("passing", overwrite=True)
print(read(reader))
Secret(value="second").save("passing", overwrite=True)
print(read(reader), read(BlockReader()))
with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
    print(read(reader), read(BlockReader()))
Block.delete("secret/passing")
print(read(reader), read(reader))
"""


def test_a_cached_block_outlives_an_unreachable_server_but_not_its_deletion(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_SERVER_THAT_STOPS], text=True, env=environment, capture_output=True, timeout=150, check=False
    )
    assert done.stdout.splitlines() == ["first", "second second", "second unreadable", "unreadable unreadable"], done.stderr


WITH_A_SLOW_BLOCK = """
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from flows.secrets import BlockReader
from jobrecon.errors import ConfigurationError

is_asked, may_answer = threading.Event(), threading.Event()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if "slow" in self.path:
            is_asked.set()
            may_answer.wait()
        self.send_error(404)

    def log_message(self, *_):
        pass

def read(name):
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{server.server_port}/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        try:
            reader.read(name)
        except ConfigurationError:
            print(name, flush=True)

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
reader = BlockReader()
slow = threading.Thread(target=read, args=["slow"])
slow.start()
is_asked.wait()
quick = threading.Thread(target=read, args=["quick"])
quick.start()
quick.join(20)
may_answer.set()
slow.join()
quick.join()
"""


def test_a_block_that_is_slow_to_read_delays_no_other(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_SLOW_BLOCK], text=True, env=environment, capture_output=True, timeout=150, check=False
    )
    assert done.stdout.splitlines() == ["quick", "slow"], done.stderr
