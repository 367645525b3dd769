"""Challenges on their way from the landing database to the warehouse."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from jobrecon.ingest.notifications import merge_challenges
from jobrecon.warehouse import Warehouse
from tests.webhook.conftest import ACME, challenge

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def count_challenges(warehouse: Warehouse) -> int:
    (row,) = warehouse.connection.execute("select count(*) from webhook_challenges").fetchall()
    return int(row[0])


def test_each_challenge_is_merged_once_and_only_up_to_the_moment_of_the_run(warehouse: Warehouse, engine: Engine) -> None:
    for minutes in (0, 1, 5):
        challenge(engine, "", SIX + minutes * MINUTE)
    assert merge_challenges(warehouse, engine, SIX + MINUTE) == 2
    assert merge_challenges(warehouse, engine, SIX + MINUTE) == 0
    assert merge_challenges(warehouse, engine, SIX + 10 * MINUTE) == 1
    assert count_challenges(warehouse) == 3


@pytest.mark.parametrize("late", [MINUTE, timedelta(hours=23)])
def test_a_challenge_that_another_receiver_commits_late_is_merged_by_the_next_run(
    warehouse: Warehouse, engine: Engine, late: timedelta
) -> None:
    challenge(engine, "", SIX)
    assert merge_challenges(warehouse, engine, SIX) == 1
    challenge(engine, ACME, SIX - late)
    assert merge_challenges(warehouse, engine, SIX) == 1
    assert count_challenges(warehouse) == 2
