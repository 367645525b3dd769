"""A large body that is delivered again and again takes its size once, in both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.settings import Settings
from jobrecon.webhook.parsing import parse_body
from tests.webhook.conftest import land
from tests.webhook.test_receiver import notification

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# Hardly to be compressed, so that its size is seen.
PADDING = "".join(f"{number * 2_654_435_761 % 2**32:08x}" for number in range(25_000))
LISTED, NOT_LISTED = (notification(listingStatus=status, padding=PADDING) for status in ("LISTED", "NOT_LISTED"))

Row = tuple[str, int, datetime, datetime, int]


def measure(body: bytes) -> int:
    return len(parse_body(body).payload)


def merge(settings: Settings, as_of: datetime) -> list[Row]:
    with open_reconciliation(settings, as_of, clock=lambda: as_of) as run:
        run.ingest_notifications()
        run.warehouse.checkpoint()
        return run.warehouse.connection.execute(
            "select listing_status, deliveries, received_at, last_received_at, strlen(payload::varchar) from notifications order by received_at"
        ).fetchall()


@pytest.mark.parametrize("landing_url", ["sqlite"], indirect=True)
def test_200_kb_delivered_400_times_do_not_take_80_megabytes(settings: Settings, landing_url: str, engine: Engine, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"landing_url": landing_url})
    for number in range(400):
        land(engine, LISTED, SIX + number * MINUTE / 100)
    assert merge(settings, SIX + 4 * MINUTE) == [("LISTED", 400, SIX, SIX + 3.99 * MINUTE, measure(LISTED))]
    engine.dispose()
    assert sum(file.stat().st_size for file in tmp_path.glob("landing.db*")) < 2_000_000
    assert Path(settings.warehouse).stat().st_size < 5_000_000


def test_the_same_large_body_after_another_one_is_news_with_its_content(settings: Settings, landing_url: str, engine: Engine) -> None:
    settings = settings.model_copy(update={"landing_url": landing_url})
    for number, body in enumerate((LISTED, NOT_LISTED, LISTED, LISTED)):
        land(engine, body, SIX + number * MINUTE)
        rows = merge(settings, SIX + number * MINUTE)
    assert [row[:2] for row in rows] == [("LISTED", 1), ("NOT_LISTED", 1), ("LISTED", 2)]
    assert [row[4] for row in rows] == [measure(LISTED), measure(NOT_LISTED), measure(LISTED)]
    assert rows[-1][2:4] == (SIX + 2 * MINUTE, SIX + 3 * MINUTE)
