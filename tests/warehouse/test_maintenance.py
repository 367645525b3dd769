"""Weekly maintenance: old data is deleted, what reports are made from stays."""

import datetime as dt

from jobrecon.reconcile.maintenance import maintain
from jobrecon.settings import Settings
from jobrecon.warehouse import open_warehouse

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def prepare(settings: Settings) -> None:
    for name in ("2024-01-01", "2026-11-19", "2024-01-02", "2024-99-99"):
        (settings.reports / name).mkdir(parents=True)
        (settings.reports / name / "summary.json").write_text("{}")
    (settings.reports / "2024-01-02" / "summary.json").unlink()  # a folder of somebody else
    with open_warehouse(settings) as warehouse:
        for age in (1, 500):
            values = [f"file-{age}", NOW - age * DAY]
            warehouse.connection.execute("insert into rejected_rows (source, line, reason, rejected_at) values (?, 1, 'no', ?)", values)


def list_rejected(settings: Settings) -> list[str]:
    with open_warehouse(settings) as warehouse:
        return [row[0] for row in warehouse.connection.execute("select source from rejected_rows order by all").fetchall()]


def test_what_is_older_than_its_retention_is_deleted(settings: Settings) -> None:
    prepare(settings)
    done = maintain(settings, NOW)
    assert (done.rejected_rows, done.reports) == (1, 1)
    assert list_rejected(settings) == ["file-1"]
    assert sorted(path.name for path in settings.reports.iterdir()) == ["2024-01-02", "2024-99-99", "2026-11-19"]


def test_a_second_maintenance_deletes_nothing(settings: Settings) -> None:
    prepare(settings)
    maintain(settings, NOW)
    done = maintain(settings, NOW)
    assert (done.landed, done.rejected_rows, done.reports) == (0, 0, 0)


def test_a_retention_of_0_keeps_everything(settings: Settings) -> None:
    settings.retention_days = 0
    prepare(settings)
    maintain(settings, NOW)
    assert list_rejected(settings) == ["file-1", "file-500"]
    assert len(list(settings.reports.iterdir())) == 4
