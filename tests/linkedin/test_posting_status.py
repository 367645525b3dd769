"""Posting statuses: every shape of LinkedIn's records, ids of any text, few calls, and an application without access."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jobrecon.errors import AccessDenied, BudgetExhausted, LinkedInUnreachable, Throttled
from jobrecon.linkedin.budget import describe_budget
from jobrecon.linkedin.http import HttpClient
from jobrecon.linkedin.ledger import POSTING_STATUS, TASKS
from jobrecon.linkedin.posting_status import PostingStatus, PostingStatusClient, parse_posting_statuses
from jobrecon.linkedin.responses import MalformedResponse
from tests.linkedin.conftest import ACME, PollingHarness, Serve, make_application, make_world, task_urn
from tests.linkedin.fakes import error_response, throttle_response

LISTED = {"externalJobPostingId": "job-1", "listingStatus": "LISTED", "rawLocation": "Oslo"}

RECORDS: list[tuple[str, dict[str, Any], list[PostingStatus]]] = [
    # id, document, rows
    ("job-1", {"results": {"job-1": LISTED}}, [PostingStatus("job-1", True, orjson.dumps(LISTED, option=orjson.OPT_SORT_KEYS))]),
    # LinkedIn's own fixture: ids as numbers, explicit nulls, the other names of the company
    (
        "1234567890123456789012",
        {"results": {"1234567890123456789012": {"listingStatus": "LISTED", "linkedInApplyStatusDetail": None, "companyDetails": {"pageUrl": "u", "name": "n"}}}},
        [PostingStatus("1234567890123456789012", True, b'{"companyDetails":{"name":"n","pageUrl":"u"},"linkedInApplyStatusDetail":null,"listingStatus":"LISTED"}')],
    ),
    ("Job 1/ä", {"results": {"Job%201%2F%C3%A4": {"listingStatus": "LISTED"}}}, [PostingStatus("Job 1/ä", True, b'{"listingStatus":"LISTED"}')]),
    # unknown, by `errors` or `statuses`
    ("job-1", {"errors": {"job-1": {"status": 404, "message": "not found"}}}, [PostingStatus("job-1", False)]),
    ("job-1", {"results": {"job-1": None}, "errors": {"job-1": 404}}, [PostingStatus("job-1", False)]),
    ("job-1", {"statuses": {"job-1": 404}}, [PostingStatus("job-1", False)]),
    # nothing is said of it: it is as it was
    ("job-1", {"results": {}, "statuses": {}, "errors": {}}, []),
    ("job-1", {"results": {"job-2": LISTED}}, []),
    ("job-1", {"results": {"job-1": {}}}, []),
    ("job-1", {"errors": {"job-1": {"status": 500}}}, []),
    ("job-1", {"statuses": {"job-1": 200}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("id_", "document", "rows"), RECORDS)
def test_what_a_response_says_of_a_job(id_: str, document: dict[str, Any], rows: list[PostingStatus]) -> None:
    assert parse_posting_statuses(orjson.dumps(document), [id_]) == rows


def test_integers_of_any_size_stay_exact_and_lone_surrogates_become_replacement_characters() -> None:
    body = b'\xef\xbb\xbf{"results":{"7":{"title":"cut \\ud83d","externalJobPostingId":123456789012345678901234567890}}}'
    (row,) = parse_posting_statuses(body, ["7"])
    assert row.record == '{"externalJobPostingId":123456789012345678901234567890,"title":"cut \ufffd"}'.encode()


def test_a_response_about_none_of_more_than_ten_jobs_is_malformed() -> None:
    ids = [f"job-{number}" for number in range(11)]
    with pytest.raises(MalformedResponse):
        parse_posting_statuses(b'{"results":{}}', ids)
    assert parse_posting_statuses(b'{"results":{}}', ids[:10]) == []


@given(st.text(max_size=20), st.binary(max_size=200))
def test_any_bytes_are_parsed_or_malformed(id_: str, body: bytes) -> None:
    with suppress(MalformedResponse):
        assert parse_posting_statuses(body, [id_]) == []


class FakePostingStatus(Starlette):
    """Responds to calls of `jobPostingStatus` as configured and records their ids."""

    def __init__(self, respond: Callable[[list[str]], Response]) -> None:
        super().__init__(
            routes=[
                Route("/v2/jobPostingStatus", self._respond, methods=["GET", "POST"]),
                Route(
                    "/oauth/v2/accessToken", lambda request: JSONResponse({"access_token": "token", "expires_in": "1800"}), methods=["POST"]
                ),
            ]
        )
        self.respond = respond
        self.requests: list[tuple[str, list[str]]] = []

    async def _respond(self, request: Request) -> Response:
        query = request.scope["query_string"] if request.method == "GET" else await request.body()
        ids = [value for _, value in parse_qsl(query.decode(), keep_blank_values=True, errors="strict")]
        self.requests.append((request.method, ids))
        return self.respond(ids)


def respond_listed(ids: list[str]) -> Response:
    return JSONResponse({"results": {id_: {"listingStatus": "LISTED"} for id_ in ids}, "statuses": {}, "errors": {}})


def fetch(
    harness: PollingHarness, ids: list[str], max_calls: int | None = None, received: list[PostingStatus] | None = None
) -> list[PostingStatus]:
    """The statuses as a run fetches them; `received` gets them also where an error comes later."""
    rows_received = [] if received is None else received

    async def collect() -> list[PostingStatus]:
        async with HttpClient() as http:
            client = PostingStatusClient(harness.applications.items[0], harness.settings, harness.engine, http, harness.clock)
            async for rows in client.fetch(ids, max_calls):
                rows_received.extend(rows)
        return rows_received

    return asyncio.run(collect())


def test_ids_of_any_text_are_fetched_in_few_calls_and_long_ones_tunneled(serve: Serve) -> None:
    ids = [f"Stelle {number}/ä&ids=x%20+" for number in range(150)] + ["日本語" * 66, *(f"{number:04d}" for number in range(250))]
    fake = FakePostingStatus(respond_listed)
    harness = serve(fake)
    rows = fetch(harness, ids)
    assert sorted(row.external_job_posting_id for row in rows) == sorted(ids)
    assert max(len(requested) for _, requested in fake.requests) == 100
    assert sorted(id_ for _, requested in fake.requests for id_ in requested) == sorted(ids)
    fake.requests.clear()
    harness.configure(query_string_limit=80)
    fetch(harness, ["日本語" * 66])
    assert [method for method, _ in fake.requests] == ["POST"]


def test_the_calls_have_a_ledger_and_a_limit_of_their_own(serve: Serve) -> None:
    harness = serve(FakePostingStatus(respond_listed), make_application(daily_call_limit=1), check_limit=2)
    with pytest.raises(BudgetExhausted, match="jobPostingStatus"):
        fetch(harness, [f"job-{number}" for number in range(350)])
    lines = describe_budget(harness.engine, harness.applications, harness.clock(), harness.settings.check_limit)
    assert [(line["resource"], line["calls_used"], line["calls_left"]) for line in lines] == [(TASKS, 0, 1), (POSTING_STATUS, 2, 0)]


def test_no_more_calls_are_made_than_allowed(serve: Serve) -> None:
    fake = FakePostingStatus(respond_listed)
    assert len(fetch(serve(fake), [f"job-{number}" for number in range(450)], max_calls=3)) == 300
    assert len(fake.requests) == 3


def test_what_was_received_before_an_error_is_given(serve: Serve) -> None:
    fake = FakePostingStatus(lambda ids: respond_listed(ids) if "job-0" in ids else throttle_response(90))
    harness = serve(fake, concurrency=1)
    received: list[PostingStatus] = []
    with pytest.raises(Throttled) as caught:
        fetch(harness, [f"job-{number}" for number in range(250)], received=received)
    assert caught.value.until == harness.clock() + timedelta(seconds=90)
    assert len(received) == 100
    assert len(fake.requests) == 2


def test_tasks_are_not_throttled_with_the_statuses(serve: Serve) -> None:
    world = make_world()
    (row,) = world.create_tasks(ACME, 1)
    harness = serve(FakePostingStatus(lambda ids: throttle_response()))
    with pytest.raises(Throttled):
        fetch(harness, ["job-1"])
    other = serve(world)
    other.engine = harness.engine
    assert len(other.fetch(row["task_urn"])) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_an_application_without_access_is_not_called_again_for_a_day(serve: Serve, status: int) -> None:
    fake = FakePostingStatus(lambda ids: error_response(status, "Not enough permissions"))
    harness = serve(fake, concurrency=1)
    for hours in (0, 1, 22):
        harness.clock.advance(hours=hours)
        with pytest.raises(AccessDenied, match="2026-03-02 06:00 UTC"):
            fetch(harness, ["job-1"])
    assert len(fake.requests) == 1
    harness.clock.advance(hours=1)
    fake.respond = respond_listed
    assert len(fetch(harness, ["job-1"])) == 1


def test_an_id_that_linkedin_does_not_accept_gets_no_row_and_the_others_do(serve: Serve) -> None:
    def respond(ids: list[str]) -> Response:
        return error_response(400, "Batch key parameter value is invalid") if "job-7" in ids else respond_listed(ids)

    rows = fetch(serve(FakePostingStatus(respond)), [f"job-{number}" for number in range(20)])
    assert sorted(row.external_job_posting_id for row in rows) == sorted(f"job-{number}" for number in range(20) if number != 7)


def test_an_api_that_gives_no_response_is_an_error(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobrecon.linkedin.retry.Backoff.__init__.__defaults__", (2, 0.01, 0.02))
    with pytest.raises(LinkedInUnreachable, match="none of results"):
        fetch(serve(FakePostingStatus(lambda ids: JSONResponse({}))), ["job-1"])


def test_the_sandbox_reports_its_jobs_and_those_it_does_not_know(serve: Serve) -> None:
    world = make_world()
    known = [f"job-{number}" for number in range(20)]
    for id_ in known:
        world.submit(world.applications[ACME], external_id=id_, operation="CREATE", location="Oslo, Norway")
    harness = serve(world)
    httpx.post(f"{harness.settings.api_url}/control/clock", json={"advance_seconds": 86_400}).raise_for_status()
    rows = {row.external_job_posting_id: row for row in fetch(harness, [*known, "nobody's", task_urn(1)])}
    assert not rows["nobody's"].is_known
    assert not rows[task_urn(1)].is_known
    assert any(rows[id_].is_known and b'"listingStatus"' in (rows[id_].record or b"") for id_ in known)
