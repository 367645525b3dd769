"""Tokens: one for all, renewed once, never a secret in sight."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from jobrecon.applications import Application
from jobrecon.errors import ConfigurationError, CredentialsRefused
from jobrecon.landing.database import open_landing
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.tokens import DEFAULT_LIFETIME_SECONDS, TokenCache, read_lifetime_seconds
from models import CachedToken
from tests.linkedin.conftest import ACME, START, PollingHarness, Serve, count_calls, make_application, make_world, task_urn
from tests.linkedin.fakes import FakeLinkedIn, TaskRequest, error_response, task_response
from tests.linkedin.processes import get_token, run_together

LIFETIMES = [
    # expires_in, seconds
    ("1800", 1800),
    (1800, 1800),
    (59.5, 59.5),
    (" 1800 ", 1800),
    (None, DEFAULT_LIFETIME_SECONDS),
    ("", DEFAULT_LIFETIME_SECONDS),
    ("soon", DEFAULT_LIFETIME_SECONDS),
    (0, DEFAULT_LIFETIME_SECONDS),
    (-5, DEFAULT_LIFETIME_SECONDS),
    ("nan", DEFAULT_LIFETIME_SECONDS),
    ("inf", DEFAULT_LIFETIME_SECONDS),
    (10**400, DEFAULT_LIFETIME_SECONDS),
    ([], DEFAULT_LIFETIME_SECONDS),
    ({"seconds": 1800}, DEFAULT_LIFETIME_SECONDS),
]


@pytest.mark.parametrize(("expires_in", "seconds"), LIFETIMES, ids=lambda value: repr(value)[:20])
def test_the_lifetime_of_a_token_is_read_from_text_and_numbers(expires_in: Any, seconds: float) -> None:
    assert read_lifetime_seconds(expires_in) == seconds


@given(st.text() | st.floats() | st.integers() | st.none() | st.lists(st.none()))
def test_any_expires_in_gives_a_lifetime_a_clock_can_be_moved_by(expires_in: Any) -> None:
    assert timedelta(0) <= timedelta(seconds=read_lifetime_seconds(expires_in)) < timedelta(days=20_000)


def get_tokens(harness: PollingHarness, count: int = 1, application: Application | None = None) -> list[SecretStr]:
    """The token as so many new caches get it, one after the other."""

    async def get() -> list[SecretStr]:
        async with HttpClient() as http:
            caches = [
                TokenCache(application or make_application(), harness.settings.token_url, harness.engine, http, harness.clock)
                for _ in range(count)
            ]
            return [await cache.get() for cache in caches]

    return asyncio.run(get())


def test_one_token_serves_all_clients_and_processes(serve: Serve) -> None:
    world = make_world()
    harness = serve(world)
    tokens = {token.get_secret_value() for token in get_tokens(harness, 3)}
    tokens |= set(run_together(2, get_token, str(harness.engine.url), harness.settings.token_url, make_application(), START))
    assert len(tokens) == world.applications[ACME].tokens_issued == 1


def test_processes_that_get_a_token_at_the_same_moment_all_go_on(serve: Serve, landing_url: str) -> None:
    world = make_world()
    world.faults.latency_seconds = 0.3
    tokens = run_together(4, get_token, landing_url, serve(world).settings.token_url, make_application(), START)
    assert {type(token) for token in tokens} == {str}


@pytest.mark.parametrize("expires_in", ["1800", 1800])
def test_a_token_is_used_until_shortly_before_it_expires_and_then_renewed(serve: Serve, expires_in: Any) -> None:
    fake = FakeLinkedIn(grant=lambda number, form: JSONResponse({"access_token": f"token-{number}", "expires_in": expires_in}))
    harness = serve(fake)
    used = []
    for minutes in (0, 28, 1, 1):
        harness.clock.advance(minutes=minutes)
        used += [token.get_secret_value() for token in get_tokens(harness)]
    assert used == ["token-1", "token-1", "token-2", "token-2"]


@pytest.mark.parametrize(("seconds_left", "token"), [(61, "token-1-of-acme"), (60, "token-2-of-acme"), (1, "token-2-of-acme")])
def test_within_a_run_too_a_token_is_not_used_in_its_last_minute(serve: Serve, seconds_left: int, token: str) -> None:
    harness = serve(FakeLinkedIn())

    async def get_twice() -> list[str]:
        async with HttpClient() as http:
            cache = TokenCache(make_application(), harness.settings.token_url, harness.engine, http, harness.clock)
            first = await cache.get()
            harness.clock.advance(seconds=1800 - seconds_left)
            return [each.get_secret_value() for each in (first, await cache.get())]

    assert asyncio.run(get_twice()) == ["token-1-of-acme", token]


def test_many_workers_refused_at_once_make_one_renewal(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 64)
    harness = serve(world, make_application(), concurrency=32, query_string_limit=80)
    harness.import_rows(rows)
    harness.poll(hours=0.1)
    before = count_calls(world)
    world.expire_tokens()
    assert harness.poll(hours=0.2).unseen == {}
    assert world.applications[ACME].tokens_issued == 2
    assert count_calls(world) > before + 32, "no call was refused, so nothing was shown"
    assert harness.budget()["calls_used"] == count_calls(world)


def test_a_token_that_expires_in_the_middle_of_a_run_is_renewed_and_no_task_is_lost(serve: Serve) -> None:
    def respond(request: Any) -> Response:
        return (
            error_response(401, "The token used in the request has expired")
            if request.token.startswith("token-1") and request.number > 9
            else task_response(request.ids)
        )

    fake = FakeLinkedIn(respond)
    harness = serve(fake, concurrency=4, query_string_limit=80)
    harness.import_urns(*(task_urn(number) for number in range(40)))
    assert harness.poll().tasks_settled == 40
    assert len(fake.forms) == 2
    assert harness.budget()["calls_used"] == len(fake.requests)


def test_a_fresh_token_that_is_refused_too_stops_the_application_and_is_not_shown(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: error_response(401, f"Invalid access token {request.token}"))
    harness = serve(fake, make_application(), concurrency=1)
    harness.import_urns(task_urn(1))
    result = harness.poll()
    assert len(fake.requests) == len(fake.forms) == 2
    assert ACME in result.unseen[ACME]
    assert "token-" not in result.unseen[ACME]


def test_a_wrong_secret_is_refused_by_the_applications_name_and_never_shown(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "wrong&secret=1 ä"

    def grant(number: int, form: dict[str, str]) -> Response:
        description = f"Client authentication failed: {form['client_secret']}, client_secret=wrong%26secret%3D1+%C3%A4"
        return JSONResponse({"error": "invalid_client", "error_description": description}, 401)

    application = make_application(ACME, "env:S", environment={"S": secret})
    harness = serve(FakeLinkedIn(grant=grant), application)
    with pytest.raises(CredentialsRefused) as caught:
        get_tokens(harness, application=application)
    assert caught.value.application_urn == ACME
    harness.import_urns(task_urn(1))
    result = harness.poll()
    assert ACME in str(caught.value)
    assert "invalid_client" in str(caught.value)
    shown = [str(caught.value), repr(caught.value), repr(application), str(application), repr(result), repr(harness.settings), caplog.text]
    for text in shown:
        assert "wrong&" not in text
        assert "wrong%26" not in text
    assert ACME in result.unseen[ACME]
    assert harness.budget()["calls_used"] == 0


def test_a_secret_is_in_no_log_of_a_run_that_succeeds(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    harness = serve(FakeLinkedIn(), make_application())
    harness.import_urns(task_urn(1))
    assert harness.poll().tasks_settled == 1
    assert "acme-secret" not in caplog.text
    assert "token-1-of" not in caplog.text


@pytest.mark.parametrize("token", ["token-1/plain", 'a-quo"ted-token', "a-back\\slash"])
def test_a_token_that_linkedin_echoes_reaches_no_table_and_no_log(serve: Serve, caplog: pytest.LogCaptureFixture, token: str) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(request: TaskRequest) -> Response:
        echoed = f"Error for token {request.token}"
        if request.number == 2:
            return error_response(403, echoed)
        body = task_response(request.ids, "FAILED", errorMessage=echoed).body
        return Response(bytes(body).replace(b"/plain", b"\\/plain") if request.number else body)

    fake = FakeLinkedIn(echo, grant=lambda number, form: JSONResponse({"access_token": token, "expires_in": 1800}))
    harness = serve(fake, make_application(), concurrency=1, query_string_limit=80)
    harness.import_urns(*(task_urn(number) for number in range(3)))
    result = harness.poll()
    assert result.tasks_settled == 2
    stored = harness.warehouse.connection.execute(
        "select error_message from job_tasks union all select error_message from task_status_changes"
    ).fetchall()
    assert [text for (text,) in stored if text] == ["Error for token ***"] * 4
    assert token not in caplog.text
    assert token not in result.unseen[ACME]


def test_while_secrets_rotate_the_second_one_is_tried(serve: Serve) -> None:
    world = make_world()
    rotating = make_application(ACME, "env:NOT_SET", "env:BOLT", "env:ACME")
    get_tokens(serve(world), application=rotating)
    assert world.applications[ACME].tokens_issued == 1


def test_a_missing_secret_is_reported_by_its_reference_and_nothing_is_sent(serve: Serve) -> None:
    fake = FakeLinkedIn()
    with pytest.raises(ConfigurationError, match="ACME_SECRET_2"):
        get_tokens(serve(fake), application=make_application(ACME, "env:ACME_SECRET_2"))
    assert fake.forms == []


SPOILED: list[tuple[str, Callable[[], Response]]] = [
    ("500", lambda: Response(status_code=500)),
    ("429", lambda: Response(status_code=429)),
    ("cut", lambda: Response(b'{"access_token": "tok', media_type="application/json")),
    ("empty", lambda: JSONResponse({"access_token": ""})),
    ("number", lambda: JSONResponse({"access_token": 7})),
    ("unsendable", lambda: JSONResponse({"access_token": "tök\nen"})),
    ("list", lambda: JSONResponse(["token"])),
    ("not-gzip", lambda: Response(b"token", headers={"content-encoding": "gzip"})),
]


@pytest.mark.parametrize("spoil", [item[1] for item in SPOILED], ids=[item[0] for item in SPOILED])
def test_a_token_request_that_fails_once_is_sent_again(serve: Serve, spoil: Callable[[], Response]) -> None:
    fake = FakeLinkedIn(grant=lambda number, form: spoil() if number == 1 else JSONResponse({"access_token": "good"}))
    assert [token.get_secret_value() for token in get_tokens(serve(fake))] == ["good"]


def test_an_unreachable_token_endpoint_is_reported_without_the_secret_and_costs_no_call(serve: Serve) -> None:
    harness = serve(FakeLinkedIn(), make_application())
    harness.configure(token_url="http://127.0.0.1:1/nobody")
    harness.import_urns(task_urn(1))
    result = harness.poll()
    assert "http://127.0.0.1:1/nobody" in result.unseen[ACME]
    assert "acme-secret" not in result.unseen[ACME]
    assert result.calls_used == 0


def test_the_cached_token_is_in_the_landing_database_and_renewed_there(serve: Serve) -> None:
    harness = serve(FakeLinkedIn())
    get_tokens(harness)
    harness.clock.advance(hours=1)
    get_tokens(harness)
    engine = open_landing(str(harness.engine.url))
    with Session(engine) as session:
        cached = session.get(CachedToken, ACME)
    engine.dispose()
    assert cached is not None
    assert (cached.access_token, cached.obtained_at) == ("token-2-of-acme", harness.clock())
    assert CallLedger(harness.engine, ACME, 5, harness.clock).count_left() == 5
