"""Halving: the invalid URN of a refused batch is found in few calls, and never sent again."""

import asyncio
from collections.abc import Callable, Collection
from math import log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrecon.errors import AccessDenied, BatchRefused
from jobrecon.linkedin.responses import Outcome, TaskResponse, TaskResponses
from jobrecon.linkedin.tasks import TaskClient
from tests.linkedin.conftest import ACME, Serve, make_application, task_urn
from tests.linkedin.fakes import FakeLinkedIn, TaskRequest, error_response, task_response

LIMIT = 59
URNS = [task_urn(number) for number in range(LIMIT)]
DOCUMENTED = "Batch key parameter value is invalid"


class Halver(TaskClient):
    """The client's halving without the network: a batch with any of `bad` is refused with the given text."""

    def __init__(self, bad: Collection[str], text: str = DOCUMENTED) -> None:
        self.application = make_application()
        self.bad = set(bad)
        self.text = text
        self._accepted_urn = None
        self.requests: list[list[str]] = []

    async def _fetch_batch(self, task_urns: list[str]) -> TaskResponses:
        self.requests.append(task_urns)
        if self.bad.intersection(task_urns):
            raise BatchRefused(self.text, task_urns=task_urns, application_urn=ACME, status=400)
        return TaskResponses.of(TaskResponse(urn, Outcome.RECEIVED, "SUCCEEDED") for urn in task_urns)

    def run(self, urns: list[str]) -> list[TaskResponse]:
        async def collect() -> list[TaskResponse]:
            return [row async for rows in self.fetch(urns) for row in rows]

        return asyncio.run(collect())


def refuse(bad: Collection[str], text: str = DOCUMENTED) -> Callable[[TaskRequest], Any]:
    return lambda request: error_response(400, text) if set(bad).intersection(request.ids) else task_response(request.ids)


@pytest.mark.parametrize("text", [DOCUMENTED, "an unknown text"])
def test_one_bad_urn_of_59_costs_at_most_7_calls_more_wherever_it_stands(text: str) -> None:
    for bad in URNS:
        halver = Halver([bad], text)
        rows = halver.run(URNS)
        assert [row.task_urn for row in rows if row.outcome is Outcome.INVALID_URN] == [bad]
        assert sorted(row.task_urn for row in rows) == URNS
        assert len(halver.requests) - 1 <= 7


@given(st.integers(1, LIMIT).flatmap(lambda count: st.tuples(st.just(count), st.sets(st.integers(0, count - 1)))))
def test_any_number_of_bad_urns_is_found_within_the_bound(case: tuple[int, set[int]]) -> None:
    count, places = case
    bad = {URNS[place] for place in places}
    halver = Halver(bad)
    rows = halver.run(URNS[:count])
    assert sorted(row.task_urn for row in rows) == URNS[:count], "each comes back once"
    assert {row.task_urn for row in rows if row.outcome is Outcome.INVALID_URN} == bad
    assert len(halver.requests) - 1 <= 7 * len(bad) <= 2 * len(bad) * log2(LIMIT) + len(bad)


@given(st.sets(st.integers(0, LIMIT - 1), min_size=1, max_size=LIMIT - 1))
def test_an_unknown_text_blames_a_urn_only_where_another_was_accepted(places: set[int]) -> None:
    bad = {URNS[place] for place in places}
    halver = Halver(bad, "an unknown text")
    try:
        rows = halver.run(URNS)
    except AccessDenied:
        assert all(bad.intersection(request) for request in halver.requests), "a URN was accepted"
        assert len(bad) > 1
    else:
        assert {row.task_urn for row in rows if row.outcome is Outcome.INVALID_URN} == bad


@pytest.mark.parametrize("count", [1, 2, 3, LIMIT])
def test_a_refusal_of_everything_with_an_unknown_text_blames_no_urn(serve: Serve, count: int) -> None:
    fake = FakeLinkedIn(refuse(URNS, "Unknown resource version"))
    harness = serve(fake, make_application())
    harness.import_urns(*URNS[:count])
    result = harness.poll()
    assert "Unknown resource version" in result.unseen[ACME]
    assert harness.tasks("state", "poll_count") == dict.fromkeys(URNS[:count], ("PENDING", 0))
    assert len(fake.requests) <= 14


def test_an_unknown_text_that_begins_within_a_run_blames_no_urn(serve: Serve) -> None:
    urns = [task_urn(number) for number in range(10 * LIMIT)]
    fake = FakeLinkedIn()
    fake.respond = lambda request: (
        task_response(request.ids) if len(fake.requests) <= 5 else error_response(400, "Unknown resource version")
    )
    harness = serve(fake, make_application(), concurrency=2)
    harness.import_urns(*urns)
    assert "Unknown resource version" in harness.poll().unseen[ACME]
    states = list(harness.tasks("state").values())
    assert (states.count("SETTLED"), states.count("PENDING")) == (5 * LIMIT, 5 * LIMIT)
    assert len(fake.requests) <= 5 + 2 * 14
    fake.respond = lambda request: task_response(request.ids)
    assert harness.poll(hours=1).tasks_settled == 5 * LIMIT


def test_an_unknown_text_about_a_urn_alone_blames_it_where_another_is_still_accepted() -> None:
    halver = Halver(URNS[:1], "an unknown text")
    halver.run(URNS[1:3])
    assert [row.outcome for row in halver.run(URNS[:1])] == [Outcome.INVALID_URN]
    assert halver.requests == [URNS[1:3], URNS[:1], URNS[1:2]]


def test_with_the_documented_text_a_single_bad_urn_is_rejected(serve: Serve) -> None:
    harness = serve(FakeLinkedIn(refuse(URNS)), make_application())
    harness.import_urns(URNS[0])
    assert harness.poll().unseen == {}
    assert harness.tasks("state", "error_message") == {URNS[0]: ("REJECTED", DOCUMENTED)}


def test_a_urn_once_found_bad_is_never_sent_again(serve: Serve) -> None:
    bad = [URNS[0], URNS[30], URNS[58]]
    fake = FakeLinkedIn(refuse(bad))
    fake.respond = lambda request: (
        error_response(400, DOCUMENTED) if set(bad) & set(request.ids) else task_response(request.ids, "IN_PROGRESS")
    )
    harness = serve(fake, make_application())
    harness.import_urns(*URNS)
    assert harness.poll().tasks_polled == LIMIT
    assert len(fake.requests) - 1 <= 7 * len(bad)
    sent = len(fake.requests)
    for hours in (2, 3, 30):
        harness.poll(hours=hours)
    later = fake.requests[sent:]
    assert [sorted(request.ids) for request in later] == [[urn for urn in URNS if urn not in bad]] * 3


def test_several_workers_each_find_their_own(serve: Serve) -> None:
    urns = [task_urn(number) for number in range(8 * LIMIT)]
    bad = urns[7::LIMIT]
    fake = FakeLinkedIn(
        lambda request: (
            error_response(400, f"bad is {sorted(set(bad) & set(request.ids))}")
            if set(bad) & set(request.ids)
            else task_response(request.ids)
        )
    )
    harness = serve(fake, make_application())
    harness.import_urns(*urns)
    result = harness.poll()
    assert (result.unseen, result.tasks_polled) == ({}, len(urns))
    tasks = harness.tasks("state", "error_message")
    assert {urn for urn, (state, _) in tasks.items() if state == "REJECTED"} == set(bad)
    assert all(urn in tasks[urn][1] for urn in bad), "one has the text about another"
    assert len(fake.requests) <= 8 + 7 * len(bad)
