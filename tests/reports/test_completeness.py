"""When a report may say that it saw everything, and what it says when it may not."""

import datetime as dt

import pytest

from jobrecon.reports.day import group_reasons
from tests.reports.conftest import NOW, TODAY, GatherFacts, History

HOUR = dt.timedelta(hours=1)
YESTERDAY = TODAY - dt.timedelta(days=1)


ACME, BETA = "urn:li:developerApplication:1001", "urn:li:developerApplication:1002"
CUSTOMERS = {ACME: "Acme", BETA: "Beta"} | {f"urn:li:developerApplication:{number}": f"C{number}" for number in range(6)}
REASONS: list[tuple[list[str], list[str]]] = [
    ([f"{ACME} used up its calls."], ["Acme used up its calls."]),
    ([f"{ACME} used up its calls.", f"{BETA} used up its calls."], ["2 customers (Acme, Beta) used up its calls."]),
    (
        [f"urn:li:developerApplication:{number} cannot be reached: [Errno -2] Name or service not known." for number in range(6)],
        ["6 customers (C0, C1, C2, C3 and 2 more) cannot be reached: Name or service not known."],
    ),
    (
        [
            f"LinkedIn gives no response to urn:li:developerApplication:{number} (C{number}) at https://api.example.com."
            for number in range(5)
        ],
        ["LinkedIn gives no response to 5 customers (C0, C1, C2, C3, C4) at https://api.example.com."],
    ),
    (
        ["urn:li:developerApplication:77 was refused.", "the disk is full"],
        ["urn:li:developerApplication:77 was refused.", "the disk is full"],
    ),
    ([], []),
]


@pytest.mark.parametrize(("reasons", "expected"), REASONS)
def test_a_reason_that_several_customers_share_is_one_line(reasons: list[str], expected: list[str]) -> None:
    assert group_reasons(reasons, CUSTOMERS) == expected


def test_a_completed_run_of_today_makes_a_complete_report(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - HOUR)
    assert gather().complete


def test_no_run_ever_makes_nothing_known(history: History, gather: GatherFacts) -> None:
    facts = gather()
    assert facts.as_of is None
    assert facts.incomplete_reasons == ("No run has finished by the end of this day, so nothing was checked.",)


def test_a_day_without_a_run_is_incomplete_and_names_the_last_one(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - 20 * HOUR)
    assert gather().incomplete_reasons == (
        "No run has covered this day so far: the last one before it was at 19 Nov 16:00.",
        "The data is 20 h old: no run has finished since.",
    )


def test_a_past_day_without_a_run_is_incomplete(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - 72 * HOUR)
    history.add_run()
    assert gather(YESTERDAY).incomplete_reasons == ("No run has covered this day: the last one before it was at 17 Nov 12:00.",)


def test_an_incomplete_run_hands_on_its_reasons_one_a_line(history: History, gather: GatherFacts) -> None:
    history.add_run(state="INCOMPLETE", incomplete_reasons="LinkedIn refused Acme's credentials\n\nthe inbox could not be read\n")
    assert gather().incomplete_reasons == ("LinkedIn refused Acme's credentials", "the inbox could not be read")


def test_an_incomplete_run_without_reasons_is_still_told(history: History, gather: GatherFacts) -> None:
    history.add_run(state="INCOMPLETE")
    assert gather().incomplete_reasons == ("The last run could not check everything, and does not say why.",)


def test_a_failed_run_is_told_and_its_moment_is_no_fresh_data(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - 5 * HOUR)
    history.add_run(NOW - HOUR, "FAILED", incomplete_reasons="the disk is full")
    assert gather().incomplete_reasons == (
        "The last run, at 11:00, failed before its end.",
        "the disk is full",
        "The data is 5 h old: no run has finished since.",
    )


def test_only_the_last_run_of_the_day_counts(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - 2 * HOUR, "INCOMPLETE", incomplete_reasons="LinkedIn could not be reached")
    history.add_run(NOW - HOUR)
    assert gather().complete


def test_the_later_of_two_runs_that_speak_of_one_moment_counts(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW, "FAILED", started_at=NOW)
    history.add_run(NOW, "COMPLETED", started_at=NOW + HOUR)
    assert gather().complete


def test_a_run_that_still_runs_is_no_reason_and_no_data(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - HOUR)
    history.add_run(NOW, "RUNNING")
    facts = gather()
    assert facts.complete
    assert facts.as_of == NOW - HOUR


def test_data_is_stale_after_the_set_time_and_not_before(history: History, gather: GatherFacts) -> None:
    history.settings.stale_after = 3 * 3600
    history.add_run(NOW)
    assert gather(now=NOW + 3 * HOUR).complete
    assert gather(now=NOW + 3 * HOUR + dt.timedelta(seconds=1)).incomplete_reasons == ("The data is 3 h old: no run has finished since.",)


def test_a_past_day_does_not_grow_stale(history: History, gather: GatherFacts) -> None:
    history.add_run(NOW - 30 * HOUR)
    history.add_run()
    assert gather(YESTERDAY).complete


def test_a_run_that_speaks_of_a_later_moment_moves_now(history: History, gather: GatherFacts) -> None:
    history.add_finding(opened_at=NOW + 5 * HOUR)
    history.add_run(NOW + 5 * HOUR)
    facts = gather(now=NOW)
    assert facts.complete
    assert facts.roll_forward.open_now == 1
