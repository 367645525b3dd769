"""Halving: which URN of a refused batch is none, in few calls, and never again."""

import asyncio
from collections.abc import Callable, Collection
from math import log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobrecon.errors import AccessDenied, BatchRefused
from jobrecon.linkedin.client import LinkedInClient
from jobrecon.linkedin.responses import Answer, Outcome, TaskResponses
from tests.linkedin.conftest import ACME, Serve, make_application, task_urn
from tests.linkedin.fakes import Asked, FakeLinkedIn, answered, refused

LIMIT = 59
URNS = [task_urn(number) for number in range(LIMIT)]
DOCUMENTED = "Batch key parameter value is invalid"


class Halver(LinkedInClient):
    """The client's halving without the network: a batch is refused for any of `bad`, in the words given."""

    def __init__(self, bad: Collection[str], words: str = DOCUMENTED) -> None:
        self.application = make_application()
        self.bad = set(bad)
        self.words = words
        self._answered_urn = None
        self.asked: list[list[str]] = []

    async def _call(self, task_urns: list[str]) -> TaskResponses:
        self.asked.append(task_urns)
        if self.bad.intersection(task_urns):
            raise BatchRefused(self.words, task_urns=task_urns, application_urn=ACME, status=400)
        return TaskResponses.of(Answer(urn, Outcome.ANSWERED, "SUCCEEDED") for urn in task_urns)

    def run(self, urns: list[str]) -> list[Answer]:
        async def collect() -> list[Answer]:
            return [answer async for answers in self.ask(urns) for answer in answers]

        return asyncio.run(collect())


def refuse(bad: Collection[str], words: str = DOCUMENTED) -> Callable[[Asked], Any]:
    return lambda asked: refused(400, words) if set(bad).intersection(asked.ids) else answered(asked.ids)


@pytest.mark.parametrize("words", [DOCUMENTED, "words nobody knows"])
def test_one_bad_urn_of_59_costs_at_most_7_calls_more_wherever_it_stands(words: str) -> None:
    for bad in URNS:
        halver = Halver([bad], words)
        answers = halver.run(URNS)
        assert [answer.task_urn for answer in answers if answer.outcome is Outcome.INVALID_URN] == [bad]
        assert sorted(answer.task_urn for answer in answers) == URNS
        assert len(halver.asked) - 1 <= 7


@given(st.integers(1, LIMIT).flatmap(lambda count: st.tuples(st.just(count), st.sets(st.integers(0, count - 1)))))
def test_any_number_of_bad_urns_is_found_within_the_bound(case: tuple[int, set[int]]) -> None:
    count, places = case
    bad = {URNS[place] for place in places}
    halver = Halver(bad)
    answers = halver.run(URNS[:count])
    assert sorted(answer.task_urn for answer in answers) == URNS[:count], "each is answered once"
    assert {answer.task_urn for answer in answers if answer.outcome is Outcome.INVALID_URN} == bad
    assert len(halver.asked) - 1 <= 7 * len(bad) <= 2 * len(bad) * log2(LIMIT) + len(bad)


@given(st.sets(st.integers(0, LIMIT - 1), min_size=1, max_size=LIMIT - 1))
def test_words_unknown_blame_a_urn_only_where_another_was_answered(places: set[int]) -> None:
    bad = {URNS[place] for place in places}
    halver = Halver(bad, "words nobody knows")
    try:
        answers = halver.run(URNS)
    except AccessDenied:
        assert all(bad.intersection(asked) for asked in halver.asked), "a URN was answered"
        assert len(bad) > 1
    else:
        assert {answer.task_urn for answer in answers if answer.outcome is Outcome.INVALID_URN} == bad


@pytest.mark.parametrize("count", [1, 2, 3, LIMIT])
def test_a_refusal_of_everything_in_words_unknown_blames_no_urn(serve: Serve, count: int) -> None:
    fake = FakeLinkedIn(refuse(URNS, "Unknown resource version"))
    house = serve(fake, make_application())
    house.import_urns(*URNS[:count])
    result = house.poll()
    assert "Unknown resource version" in result.unseen[ACME]
    assert house.tasks("state", "poll_count") == dict.fromkeys(URNS[:count], ("PENDING", 0))
    assert len(fake.asked) <= 14


def test_words_unknown_that_begin_within_a_run_blame_no_urn(serve: Serve) -> None:
    urns = [task_urn(number) for number in range(10 * LIMIT)]
    fake = FakeLinkedIn()
    fake.answer = lambda asked: answered(asked.ids) if len(fake.asked) <= 5 else refused(400, "Unknown resource version")
    house = serve(fake, make_application(), concurrency=2)
    house.import_urns(*urns)
    assert "Unknown resource version" in house.poll().unseen[ACME]
    states = list(house.tasks("state").values())
    assert (states.count("SETTLED"), states.count("PENDING")) == (5 * LIMIT, 5 * LIMIT)
    assert len(fake.asked) <= 5 + 2 * 14
    fake.answer = lambda asked: answered(asked.ids)
    assert house.poll(hours=1).tasks_settled == 5 * LIMIT


def test_words_unknown_about_a_urn_alone_blame_it_where_another_is_still_answered() -> None:
    halver = Halver(URNS[:1], "words nobody knows")
    halver.run(URNS[1:3])
    assert [answer.outcome for answer in halver.run(URNS[:1])] == [Outcome.INVALID_URN]
    assert halver.asked == [URNS[1:3], URNS[:1], URNS[1:2]]


def test_in_linkedins_own_words_a_single_bad_urn_alone_is_rejected(serve: Serve) -> None:
    house = serve(FakeLinkedIn(refuse(URNS)), make_application())
    house.import_urns(URNS[0])
    assert house.poll().unseen == {}
    assert house.tasks("state", "error_message") == {URNS[0]: ("REJECTED", DOCUMENTED)}


def test_a_urn_once_found_bad_is_never_sent_again(serve: Serve) -> None:
    bad = [URNS[0], URNS[30], URNS[58]]
    fake = FakeLinkedIn(refuse(bad))
    fake.answer = lambda asked: refused(400, DOCUMENTED) if set(bad) & set(asked.ids) else answered(asked.ids, "IN_PROGRESS")
    house = serve(fake, make_application())
    house.import_urns(*URNS)
    assert house.poll().tasks_polled == LIMIT
    assert len(fake.asked) - 1 <= 7 * len(bad)
    sent = len(fake.asked)
    for hours in (2, 3, 30):
        house.poll(hours=hours)
    later = fake.asked[sent:]
    assert [sorted(asked.ids) for asked in later] == [[urn for urn in URNS if urn not in bad]] * 3


def test_several_workers_each_find_their_own(serve: Serve) -> None:
    urns = [task_urn(number) for number in range(8 * LIMIT)]
    bad = urns[7::LIMIT]
    fake = FakeLinkedIn(
        lambda asked: refused(400, f"bad is {sorted(set(bad) & set(asked.ids))}") if set(bad) & set(asked.ids) else answered(asked.ids)
    )
    house = serve(fake, make_application())
    house.import_urns(*urns)
    result = house.poll()
    assert (result.unseen, result.tasks_polled) == ({}, len(urns))
    said = house.tasks("state", "error_message")
    assert {urn for urn, (state, _) in said.items() if state == "REJECTED"} == set(bad)
    assert all(urn in said[urn][1] for urn in bad), "one was told what LinkedIn said of another"
    assert len(fake.asked) <= 8 + 7 * len(bad)
