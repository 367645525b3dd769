"""A warehouse knows its landing database: another one in its place is not taken for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from jobrecon.errors import LandingUnavailable
from jobrecon.landing.database import get_landing_id, open_landing
from jobrecon.reconcile.opening import open_reconciliation
from jobrecon.reconcile.summary import RunSummary
from jobrecon.settings import Settings
from models.inbox import QuarantinedBody
from tests.postgres import create_database
from tests.webhook.conftest import bodies_of, quarantine, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def reconcile(settings: Settings, as_of: datetime, *, is_landing_new: bool = False) -> RunSummary:
    with open_reconciliation(settings, as_of, clock=lambda: as_of, is_landing_new=is_landing_new) as run:
        run.pull()
        run.ingest_notifications()
        run.update_findings()
        run.publish()
        return run.summary


def test_a_landing_database_keeps_its_identity_and_no_other_has_it(landing_url: str, tmp_path: Path) -> None:
    ids = set()
    for url in (landing_url, landing_url, f"sqlite:///{tmp_path / 'other.db'}"):
        engine = open_landing(url)
        ids.add(get_landing_id(engine))
        engine.dispose()
    assert len(ids) == 2
    assert None not in ids


def delete(url: str, path: Path) -> str:
    for file in path.parent.glob("landing.db*"):
        file.unlink()
    return url


def replace(url: str, path: Path) -> str:
    delete(url, path)
    open_landing(url).dispose()
    return url


@pytest.mark.parametrize("change", [delete, replace])
def test_a_landing_database_that_is_missing_is_not_silently_made_anew(settings: Settings, change: Callable[[str, Path], str]) -> None:
    path = settings.home / "landing.db"
    assert reconcile(settings, SIX).state == "COMPLETED"
    change(settings.landing_url, path)
    before = path.exists()
    summary = reconcile(settings, SIX + HOUR)
    assert summary.state == "INCOMPLETE"
    (reason,) = summary.incomplete_reasons
    assert "is not the one that this warehouse's last run used" in reason
    assert "Restore it from a backup" in reason
    assert "jobrecon run --new-landing" in reason
    assert path.exists() == before
    assert reconcile(settings, SIX + 2 * HOUR, is_landing_new=True).state == "COMPLETED"
    assert reconcile(settings, SIX + 3 * HOUR).state == "COMPLETED"


def test_a_postgresql_server_with_an_empty_database_is_not_taken_for_the_last_runs(settings: Settings, postgres_uri: str) -> None:
    assert reconcile(settings, SIX).state == "COMPLETED"
    moved = settings.model_copy(update={"landing_url": create_database(postgres_uri)})
    assert reconcile(moved, SIX + HOUR).state == "INCOMPLETE"
    assert reconcile(moved, SIX + 2 * HOUR, is_landing_new=True).state == "COMPLETED"


def test_a_landing_database_of_an_older_version_is_brought_up_to_date(landing_url: str) -> None:
    engine = create_engine(landing_url)
    blob = "bytea" if engine.dialect.name == "postgresql" else "blob"
    key = "bigserial" if engine.dialect.name == "postgresql" else "integer"
    time = "timestamptz" if engine.dialect.name == "postgresql" else "timestamp"
    names = "delivery_id, received_at, application_urn, external_job_posting_id, type, body_hash, payload, body, signed_by, merged_at"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"create table inbox (inbox_id {key} primary key, delivery_id varchar not null unique, received_at {time} not null, "
                "application_urn varchar not null, external_job_posting_id text, type text not null, body_hash varchar not null, "
                f"payload text not null, body {blob} not null, signed_by varchar not null, merged_at {time})"
            )
        )
        connection.execute(
            text(
                f"create table quarantine (quarantine_id {key} primary key, received_at {time} not null, reason text not null, "
                f"body {blob} not null, signed_by varchar not null)"
            )
        )
        for number in range(3):
            connection.execute(
                text(
                    f"insert into inbox ({names}) values (:id, '2026-03-01 06:00:00', 'urn', 'job', 'T', 'hash', '{{}}', :body, 'x', null)"
                ),
                {"id": f"delivery-{number}", "body": b"{%d}" % number},
            )
        connection.execute(
            text("insert into quarantine (received_at, reason, body, signed_by) values ('2026-03-01 06:00:00', 'r', :body, 'x')"),
            {"body": b"{"},
        )
    engine.dispose()
    for _ in range(2):
        engine = open_landing(landing_url)
        assert bodies_of(engine) == [b"{0}", b"{1}", b"{2}"]
        quarantine(engine, b"[", "not JSON", SIX)
        assert [row.body for row in rows_of(engine, QuarantinedBody)] == [b"{", b"["]
        engine.dispose()


def test_a_database_that_is_another_one_is_not_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'landing.db'}"
    with pytest.raises(LandingUnavailable, match="not the one"):
        open_landing(url, expected_id="known")
    assert list(tmp_path.iterdir()) == []
