"""Several machines as processes of this one: a lake on PostgreSQL and S3, two receivers, two shards; some of them are killed.

Each notification that a receiver acknowledged has to be merged by exactly one shard, once; no application may have more calls
charged than its limit; the report over all shards has to be complete. Exits 1 where one of that does not hold.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import orjson

from jobrecon.sandbox.webhooks import sign_body
from jobrecon.settings import load_settings
from jobrecon.warehouse import open_published
from tests.flows.prefect_stack import find_free_port
from tests.postgres import create_database, open_postgres

SHARDS = {1001: "", 1002: "b"}
JOBS = 120
CALL_LIMIT = 100
Process = subprocess.Popen[bytes]


def urn(number: int) -> str:
    return f"urn:li:developerApplication:{number}"


class Cluster:
    """The servers, and what commands on its machines are started with."""

    def __init__(self, folder: Path, postgres: str, store: str, linkedin: str) -> None:
        self.folder = folder
        self.linkedin = linkedin
        self.acknowledged: set[str] = set()
        lake = create_database(postgres).replace("postgresql+psycopg://", "postgresql://")
        (folder / "applications.toml").write_text(
            "".join(
                f'[[applications]]\nurn = "{urn(number)}"\nclient_id = "c{number}"\nclient_secrets = ["env:SECRET_{number}"]\n'
                f'customer = "Customer {number}"\naccount_manager = "Dana Fox"\ndaily_call_limit = {CALL_LIMIT}\n'
                + (f'shard = "{shard}"\n' if shard else "")
                for number, shard in SHARDS.items()
            ),
            encoding="utf-8",
        )
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOBRECON_", "PREFECT_"))} | {
            "JOBRECON_APPLICATIONS": str(folder / "applications.toml"),
            "JOBRECON_PUBLISHED": str(folder / "published" / "jobrecon.duckdb"),
            "JOBRECON_REPORTS": str(folder / "reports"),
            "JOBRECON_LANDING_URL": create_database(postgres),
            "JOBRECON_WAREHOUSE": f"ducklake:postgres:{lake} (DATA_PATH 's3://lake/jobrecon/', METADATA_SCHEMA 'jobrecon')",
            "JOBRECON_S3_KEY_ID": "key",
            "JOBRECON_S3_SECRET": "secret",
            "JOBRECON_S3_ENDPOINT": store,
            "JOBRECON_API_URL": linkedin,
            "JOBRECON_TOKEN_URL": f"{linkedin}/oauth/v2/accessToken",
            "JOBRECON_FIRST_CHECK_AFTER": "0",
            **{f"SECRET_{number}": f"secret-{number}" for number in SHARDS},
        }

    def start(self, machine: int, *arguments: str, **settings: str) -> Process:
        """A `jobrecon` command on a machine, which has a home of its own."""
        home = self.folder / f"machine-{machine}"
        home.mkdir(exist_ok=True)
        log = home / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "jobrecon", *arguments],
                cwd=home,
                env=self.environment | settings | {"JOBRECON_HOME": str(home / "var")},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def run(self, machine: int, *arguments: str, **settings: str) -> None:
        """The same to its end, which has to be a good one."""
        if self.start(machine, *arguments, **settings).wait(timeout=600):
            logs = sorted((self.folder / f"machine-{machine}").glob(f"{arguments[0]}-*.log"))
            raise RuntimeError(f"jobrecon {' '.join(arguments)} failed:\n{logs[-1].read_text()[-3000:]}")

    def post_jobs(self) -> Path:
        """Jobs of all customers on LinkedIn; the file of their tasks."""
        with httpx.Client(base_url=self.linkedin, timeout=60, trust_env=False) as api:
            for number in SHARDS:
                form = {"grant_type": "client_credentials", "client_id": f"c{number}", "client_secret": f"secret-{number}"}
                token = api.post("/oauth/v2/accessToken", data=form).raise_for_status().json()["access_token"]
                elements = [
                    {
                        "externalJobPostingId": f"job-{number}-{job}",
                        "jobPostingOperationType": "CREATE",
                        "title": "Cook",
                        "location": "Oslo, Norway",
                        "description": "You cook for two hundred guests a day, in a team of twelve, in shifts that are planned a month ahead.",
                        "listedAt": 1746458138000,
                        "companyApplyUrl": "https://jobs.example.com/1",
                    }
                    for job in range(JOBS)
                ]
                headers = {"Authorization": f"Bearer {token}", "X-Restli-Method": "batch_create"}
                for first in range(0, JOBS, 100):
                    api.post("/v2/simpleJobPostings", headers=headers, json={"elements": elements[first : first + 100]}).raise_for_status()
            file = self.folder / "tasks.json"
            file.write_bytes(api.get("/control/tasks").raise_for_status().content)
        return file

    def send(self, ports: list[int], ended: threading.Event) -> None:
        """Send notifications to the receivers in turn, a new job's each time; one that is down is left out."""
        with httpx.Client(timeout=10, trust_env=False) as client:
            for count in range(10**6):
                if ended.is_set():
                    return
                number = 1001 + count % 2
                job = f"job-{number}-{count}" if count < 2 * JOBS else f"job-{number}-later-{count}"
                body = orjson.dumps(
                    {
                        "type": "JOB_POSTING_STATUS",
                        "developerApplicationUrn": urn(number),
                        "externalJobPostingId": job,
                        "listingStatus": "LISTED",
                    }
                )
                headers = {"Content-Type": "application/json", "X-LI-Signature": sign_body(f"secret-{number}", body)}
                with contextlib.suppress(httpx.HTTPError):
                    address = f"http://127.0.0.1:{ports[count // 2 % len(ports)]}/webhook"
                    if client.post(address, content=body, headers=headers).status_code == 200:
                        self.acknowledged.add(job)
                time.sleep(0.05)


@contextmanager
def serve(command: list[str], log: Path, address: str, environment: dict[str, str] | None = None) -> Iterator[Process]:
    """A server of its own process, ready to respond; ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        wait_for(address, process, log)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(address: str, process: Process, log: Path | None = None) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(address, timeout=5, trust_env=False)
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"nothing responds at {address}: {log.read_text()[-2000:] if log else ''}")


@contextmanager
def open_cluster(folder: Path) -> Iterator[Cluster]:
    """PostgreSQL, an S3-compatible store and the fake LinkedIn."""
    with ExitStack() as stack:
        postgres = stack.enter_context(open_postgres()).get_uri()
        store, linkedin = find_free_port(), find_free_port()
        environment = os.environ | {"MOTO_S3_CUSTOM_ENDPOINTS": f"http://127.0.0.1:{store}"}
        moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(store)]
        stack.enter_context(serve(moto, folder / "s3.log", f"http://127.0.0.1:{store}", environment))
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{store}",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="lake")
        cluster = Cluster(folder, postgres, f"http://127.0.0.1:{store}", f"http://127.0.0.1:{linkedin}")
        sandbox = [sys.executable, "-m", "jobrecon", "sandbox", "--port", str(linkedin)]
        stack.enter_context(serve(sandbox, folder / "linkedin.log", f"{cluster.linkedin}/control/state", cluster.environment))
        yield cluster


def live(cluster: Cluster) -> None:
    """Two receivers and two shards at work; one receiver and one run are killed and started again."""
    file = str(cluster.post_jobs())
    cluster.run(1, "tasks", "import", file)
    cluster.run(2, "tasks", "import", file, JOBRECON_SHARD="b")
    say(f"{2 * JOBS} tasks posted and imported")
    ports = [find_free_port(), find_free_port()]
    receivers = [cluster.start(machine, "webhook", "--port", str(port)) for machine, port in enumerate(ports, start=1)]
    ended = threading.Event()
    sender = threading.Thread(target=cluster.send, args=(ports, ended))
    try:
        for port, receiver in zip(ports, receivers, strict=True):
            wait_for(f"http://127.0.0.1:{port}/healthz", receiver)
        sender.start()
        first, second = cluster.start(1, "run"), cluster.start(2, "run", "--shard", "b")
        wait_until_merging(cluster, second)
        second.send_signal(signal.SIGKILL)
        second.wait()
        receivers[0].send_signal(signal.SIGKILL)
        receivers[0].wait()
        say(f"killed the run of shard b and a receiver; {len(cluster.acknowledged):,} notifications acknowledged so far")
        receivers[0] = cluster.start(1, "webhook", "--port", str(ports[0]))
        wait_for(f"http://127.0.0.1:{ports[0]}/healthz", receivers[0])
        first.wait(timeout=600)
        # On the other machine: nothing of the dead one is needed.
        cluster.run(1, "run", "--shard", "b")
        say("shard b went on on the other machine")
    finally:
        ended.set()
        if sender.is_alive():
            sender.join()
        for receiver in receivers:
            receiver.kill()
            receiver.wait()
    cluster.run(1, "run")
    cluster.run(2, "run", "--shard", "b")
    cluster.run(1, "gather")
    cluster.run(1, "report")
    say("gathered and reported")


def wait_until_merging(cluster: Cluster, run: Process) -> None:
    """Until the sandbox was asked by the second application: its run is in the middle."""
    while run.poll() is None:
        state = httpx.get(f"{cluster.linkedin}/control/state", trust_env=False, timeout=30).json()
        if state["applications"][urn(1002)]["calls_total"]:
            return
        time.sleep(0.02)
    raise RuntimeError("the run of shard b ended before it could be killed")


def find_differences(cluster: Cluster) -> list[str]:
    """What does not hold."""
    os.environ.update(cluster.environment)
    wrong = []
    merged: dict[str, Counter[str]] = {}
    for shard in SHARDS.values():
        overrides: dict[str, Any] = {"published": cluster.folder / "none.duckdb", "home": cluster.folder / "reader", "shard": shard}
        with open_published(load_settings(**overrides)) as reader:
            rows = reader.connection.execute("select external_job_posting_id from notification_deliveries").fetchall()
            merged[shard] = Counter(job for (job,) in rows)
    for job in sorted(cluster.acknowledged):
        counts = {shard: counter[job] for shard, counter in merged.items() if counter[job]}
        if list(counts.values()) != [1]:
            wrong.append(f"{job} is merged {counts or 'nowhere'}, must be once in one shard")
    settings = load_settings(home=cluster.folder / "reader")
    with open_published(settings) as reader:
        for application, used in reader.connection.execute(
            "select application_urn, max(calls_used) from call_budget group by all"
        ).fetchall():
            if used > CALL_LIMIT and application:
                wrong.append(f"{application}: {used} calls charged, limit {CALL_LIMIT}")
        joined = {job for (job,) in reader.connection.execute("select external_job_posting_id from notifications").fetchall()}
        wrong += [f"{job} is not in the joined copy" for job in sorted(cluster.acknowledged - joined)]
    state = httpx.get(f"{cluster.linkedin}/control/state", trust_env=False, timeout=30).json()["applications"]
    wrong += [f"{name} was called {each['calls_total']} times" for name, each in state.items() if each["calls_total"] > CALL_LIMIT]
    (summary,) = cluster.folder.glob("reports/*/summary.json")
    content = orjson.loads(summary.read_bytes())
    if not content["complete"]:
        wrong.append(f"the report is incomplete: {content['incomplete_reasons']}")
    if content["jobs"] < 2 * JOBS:
        wrong.append(f"the report counts {content['jobs']} jobs, must be {2 * JOBS} at least")
    say(
        f"{len(cluster.acknowledged):,} acknowledged; merged: { ({shard or 'default': sum(each.values()) for shard, each in merged.items()}) }"
    )
    return wrong


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", flush=True)


STARTED = time.monotonic()


def main() -> int:
    with TemporaryDirectory(prefix="cluster-") as folder, open_cluster(Path(folder)) as cluster:
        say("PostgreSQL, an S3-compatible store and the fake LinkedIn serve")
        live(cluster)
        wrong = find_differences(cluster)
    for line in wrong[:20]:
        print(f"WRONG: {re.sub(r'secret-[0-9]+', '***', line)}")
    say(f"{len(wrong)} differences" if wrong else "all holds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
