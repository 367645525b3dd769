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
from jobrecon.linkedin.client import open_http
from jobrecon.linkedin.ledger import CallLedger
from jobrecon.linkedin.tokens import DEFAULT_LIFE_SECONDS, TokenCache, read_life_seconds
from models import CachedToken
from tests.linkedin.conftest import ACME, START, PollingHarness, Serve, count_calls, make_application, make_world, task_urn
from tests.linkedin.fakes import FakeLinkedIn, answered, refused
from tests.linkedin.processes import get_token, run_together

LIVES = [
    # expires_in, seconds
    ("1800", 1800),
    (1800, 1800),
    (59.5, 59.5),
    (" 1800 ", 1800),
    (None, DEFAULT_LIFE_SECONDS),
    ("", DEFAULT_LIFE_SECONDS),
    ("soon", DEFAULT_LIFE_SECONDS),
    (0, DEFAULT_LIFE_SECONDS),
    (-5, DEFAULT_LIFE_SECONDS),
    ("nan", DEFAULT_LIFE_SECONDS),
    ("inf", DEFAULT_LIFE_SECONDS),
    (10**400, DEFAULT_LIFE_SECONDS),
    ([], DEFAULT_LIFE_SECONDS),
    ({"seconds": 1800}, DEFAULT_LIFE_SECONDS),
]


@pytest.mark.parametrize(("expires_in", "seconds"), LIVES, ids=lambda value: repr(value)[:20])
def test_the_life_of_a_token_is_read_from_text_and_numbers(expires_in: Any, seconds: float) -> None:
    assert read_life_seconds(expires_in) == seconds


@given(st.text() | st.floats() | st.integers() | st.none() | st.lists(st.none()))
def test_any_expires_in_gives_a_life_a_clock_can_be_moved_by(expires_in: Any) -> None:
    assert timedelta(0) <= timedelta(seconds=read_life_seconds(expires_in)) < timedelta(days=20_000)


def keep(house: PollingHarness, count: int = 1, application: Application | None = None) -> list[SecretStr]:
    """The token as that many keepers get it, one after the other, each new."""

    async def get() -> list[SecretStr]:
        async with open_http() as http:
            keepers = [
                TokenCache(application or make_application(), house.settings.token_url, house.engine, http, house.clock)
                for _ in range(count)
            ]
            return [await keeper.get() for keeper in keepers]

    return asyncio.run(get())


def test_one_token_serves_all_clients_and_processes(serve: Serve) -> None:
    world = make_world()
    house = serve(world)
    tokens = {token.get_secret_value() for token in keep(house, 3)}
    tokens |= set(run_together(2, get_token, str(house.engine.url), house.settings.token_url, make_application(), START))
    assert len(tokens) == world.applications[ACME].tokens_issued == 1


@pytest.mark.parametrize("expires_in", ["1800", 1800])
def test_a_token_is_used_until_shortly_before_its_end_and_then_renewed(serve: Serve, expires_in: Any) -> None:
    fake = FakeLinkedIn(grant=lambda number, form: JSONResponse({"access_token": f"token-{number}", "expires_in": expires_in}))
    house = serve(fake)
    used = []
    for minutes in (0, 28, 1, 1):
        house.clock.advance(minutes=minutes)
        used += [token.get_secret_value() for token in keep(house)]
    assert used == ["token-1", "token-1", "token-2", "token-2"]


def test_many_workers_refused_at_once_make_one_renewal(serve: Serve) -> None:
    world = make_world()
    rows = world.create_tasks(ACME, 64)
    house = serve(world, make_application(), concurrency=32, query_string_limit=80)
    house.import_rows(rows)
    house.poll(hours=0.1)
    before = count_calls(world)
    world.expire_tokens()
    assert house.poll(hours=0.2).unseen == {}
    assert world.applications[ACME].tokens_issued == 2
    assert count_calls(world) > before + 32, "no call was refused, so nothing was shown"
    assert house.budget()["calls_used"] == count_calls(world)


def test_a_token_that_ends_in_the_middle_of_a_run_is_renewed_and_no_task_is_lost(serve: Serve) -> None:
    def answer(asked: Any) -> Response:
        return (
            refused(401, "The token used in the request has expired")
            if asked.token.startswith("token-1") and asked.number > 9
            else answered(asked.ids)
        )

    fake = FakeLinkedIn(answer)
    house = serve(fake, concurrency=4, query_string_limit=80)
    house.import_urns(*(task_urn(number) for number in range(40)))
    assert house.poll().tasks_settled == 40
    assert len(fake.forms) == 2
    assert house.budget()["calls_used"] == len(fake.asked)


def test_a_fresh_token_that_is_refused_too_stops_the_application_with_words_that_do_not_tell_it(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda asked: refused(401, f"Invalid access token {asked.token}"))
    house = serve(fake, make_application(), concurrency=1)
    house.import_urns(task_urn(1))
    result = house.poll()
    assert len(fake.asked) == len(fake.forms) == 2
    assert ACME in result.unseen[ACME]
    assert "token-" not in result.unseen[ACME]


def test_a_wrong_secret_is_refused_by_the_applications_name_and_never_shown(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "wrong&secret=1 ä"

    def grant(number: int, form: dict[str, str]) -> Response:
        description = f"Client authentication failed: {form['client_secret']}, client_secret=wrong%26secret%3D1+%C3%A4"
        return JSONResponse({"error": "invalid_client", "error_description": description}, 401)

    application = make_application(ACME, "env:S", environment={"S": secret})
    house = serve(FakeLinkedIn(grant=grant), application)
    with pytest.raises(CredentialsRefused) as caught:
        keep(house, application=application)
    assert caught.value.application_urn == ACME
    house.import_urns(task_urn(1))
    result = house.poll()
    assert ACME in str(caught.value)
    assert "invalid_client" in str(caught.value)
    shown = [str(caught.value), repr(caught.value), repr(application), str(application), repr(result), repr(house.settings), caplog.text]
    for text in shown:
        assert "wrong&" not in text
        assert "wrong%26" not in text
    assert ACME in caplog.text
    assert house.budget()["calls_used"] == 0


def test_a_secret_is_in_no_log_of_a_run_that_succeeds(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house = serve(FakeLinkedIn(), make_application())
    house.import_urns(task_urn(1))
    assert house.poll().tasks_settled == 1
    assert "acme-secret" not in caplog.text
    assert "token-1-of" not in caplog.text


def test_while_secrets_rotate_the_second_one_is_tried(serve: Serve) -> None:
    world = make_world()
    rotating = make_application(ACME, "env:NOT_SET", "env:BOLT", "env:ACME")
    keep(serve(world), application=rotating)
    assert world.applications[ACME].tokens_issued == 1


def test_a_secret_that_is_not_there_is_told_by_its_reference_and_nothing_is_sent(serve: Serve) -> None:
    fake = FakeLinkedIn()
    with pytest.raises(ConfigurationError, match="ACME_SECRET_2"):
        keep(serve(fake), application=make_application(ACME, "env:ACME_SECRET_2"))
    assert fake.forms == []


SPOILT: list[tuple[str, Callable[[], Response]]] = [
    ("500", lambda: Response(status_code=500)),
    ("429", lambda: Response(status_code=429)),
    ("cut", lambda: Response(b'{"access_token": "tok', media_type="application/json")),
    ("empty", lambda: JSONResponse({"access_token": ""})),
    ("number", lambda: JSONResponse({"access_token": 7})),
    ("unsendable", lambda: JSONResponse({"access_token": "tök\nen"})),
    ("list", lambda: JSONResponse(["token"])),
    ("not-gzip", lambda: Response(b"token", headers={"content-encoding": "gzip"})),
]


@pytest.mark.parametrize("spoil", [item[1] for item in SPOILT], ids=[item[0] for item in SPOILT])
def test_a_token_endpoint_that_fails_once_is_asked_again(serve: Serve, spoil: Callable[[], Response]) -> None:
    fake = FakeLinkedIn(grant=lambda number, form: spoil() if number == 1 else JSONResponse({"access_token": "good"}))
    assert [token.get_secret_value() for token in keep(serve(fake))] == ["good"]


def test_a_token_endpoint_out_of_reach_is_told_without_the_secret_and_costs_no_call(serve: Serve) -> None:
    house = serve(FakeLinkedIn(), make_application())
    house.configure(token_url="http://127.0.0.1:1/nobody")
    house.import_urns(task_urn(1))
    result = house.poll()
    assert "http://127.0.0.1:1/nobody" in result.unseen[ACME]
    assert "acme-secret" not in result.unseen[ACME]
    assert result.calls_used == 0


def test_the_kept_token_is_in_the_landing_database_and_renewed_there(serve: Serve) -> None:
    house = serve(FakeLinkedIn())
    keep(house)
    house.clock.advance(hours=1)
    keep(house)
    engine = open_landing(str(house.engine.url))
    with Session(engine) as session:
        kept = session.get(CachedToken, ACME)
    engine.dispose()
    assert kept is not None
    assert (kept.access_token, kept.obtained_at) == ("token-2-of-acme", house.clock())
    assert CallLedger(house.engine, ACME, 5, house.clock).count_left() == 5
