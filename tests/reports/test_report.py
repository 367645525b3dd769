"""The folder of a report: what stands in it, and what happens when it cannot be written."""

import datetime as dt
import json
import os
import resource
from zoneinfo import ZoneInfo

import pytest

from jobrecon.errors import ReportError, WarehouseError
from jobrecon.reports.report import write_report
from jobrecon.settings import Settings
from tests.reports.conftest import NOW, TODAY, GatherFacts, History, MakeReport

FILES = ["dana-fox.html", "dana-fox.xlsx", "findings.csv", "findings.xlsx", "index.html", "remedies.csv", "summary.json"]


def list_all(settings: Settings) -> list[str]:
    return sorted(path.relative_to(settings.reports).as_posix() for path in settings.reports.rglob("*") if path.is_file())


def test_a_report_is_a_folder_named_by_its_date(history: History, report: MakeReport) -> None:
    history.add_finding()
    history.add_run()
    result = report()
    assert result.folder == history.settings.reports / "2026-11-20"
    assert [path.name for path in result.files] == FILES
    assert list_all(history.settings) == [f"2026-11-20/{name}" for name in FILES]
    assert json.loads((result.folder / "summary.json").read_text(encoding="utf-8")) == result.summary


def test_a_report_is_of_today_in_the_zone_of_the_settings(history: History, report: MakeReport, gather: GatherFacts) -> None:
    history.settings.timezone = "Pacific/Kiritimati"
    history.add_run()
    assert report().summary["date"] == "2026-11-21"
    assert gather().zone == ZoneInfo("Pacific/Kiritimati")


def test_the_same_data_makes_the_same_report(history: History, report: MakeReport) -> None:
    history.add_finding()
    history.add_run()
    first = {path.name: path.read_bytes() for path in report().files if path.suffix != ".xlsx"}
    assert {path.name: path.read_bytes() for path in report().files if path.suffix != ".xlsx"} == first


def test_a_page_of_somebody_who_is_no_longer_there_goes_and_other_files_stay(history: History, report: MakeReport) -> None:
    history.add_finding()
    history.add_run()
    folder = report().folder
    (folder / "jo-ng.html").write_text("of an older report")
    (folder / "notes.txt").write_text("mine")
    report()
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "notes.txt"])


def test_without_a_warehouse_there_is_nothing_to_report(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="Import tasks and run"):
        write_report(settings, None, NOW)
    assert not settings.reports.exists()


def test_a_date_that_has_not_come_is_refused(history: History, report: MakeReport) -> None:
    history.add_run()
    with pytest.raises(ReportError, match=r"no report for 2026-11-21 yet: in UTC it is 2026-11-20\. Nothing was changed"):
        report(TODAY + dt.timedelta(days=1))
    assert not history.settings.reports.exists()


def test_a_day_before_all_history_is_reported_as_not_looked_at(history: History, gather: GatherFacts) -> None:
    history.add_run()
    facts = gather(dt.date(1970, 1, 1))
    assert facts.as_of is None
    assert not facts.complete


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("date", [dt.date.min, dt.date(1601, 1, 1), dt.date(1969, 12, 31)])
def test_a_date_before_computers_is_refused(history: History, report: MakeReport, zone: str, date: dt.date) -> None:
    history.settings.timezone = zone
    with pytest.raises(ReportError, match="out of range"):
        report(date)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
@pytest.mark.parametrize("year", [1, 1601, 1683, 1899, 9998])
def test_no_moment_in_a_row_stops_the_report(history: History, gather: GatherFacts, zone: str, year: int) -> None:
    history.settings.timezone = zone
    moment = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    history.add_job("job-1")
    history.add_task("t1", "job-1", requested_at=moment, status="FAILED", status_changed_at=NOW - dt.timedelta(hours=3))
    history.add_finding(task_urn="t1", external_job_posting_id="job-1", since=moment)
    history.add_finding(external_job_posting_id="job-1", since=moment, resolved_at=NOW, resolution="SUCCEEDED")
    history.add_run()
    facts = gather()
    assert facts.roll_forward.open_now == len(facts.open_findings) == 1


def test_a_published_copy_of_another_make_is_explained(settings: Settings) -> None:
    import duckdb

    settings.published.parent.mkdir(parents=True)
    with duckdb.connect(settings.published) as connection:
        connection.execute("create table other (a integer)")
    with pytest.raises(WarehouseError, match="Run `jobrecon run`"):
        write_report(settings, None, NOW)


def test_a_file_in_the_place_of_the_folder_is_explained(history: History, report: MakeReport) -> None:
    history.add_run()
    history.settings.reports.mkdir()
    (history.settings.reports / "2026-11-20").write_text("not a folder")
    with pytest.raises(ReportError, match="There is a file where the folder should be"):
        report()
    assert list_all(history.settings) == ["2026-11-20"]


def test_the_index_is_put_in_place_after_the_pages_it_links_to(history: History, report: MakeReport) -> None:
    history.add_finding(reason="Of before", account_manager="Zoe Young")
    history.add_run()
    folder = report().folder
    before = {name: (folder / name).read_bytes() for name in ("index.html", "summary.json")}
    # A page that cannot be replaced, the last by name.
    (folder / "zoe-young.html").unlink()
    (folder / "zoe-young.html").mkdir()
    history.add_finding(reason="Of after")
    with pytest.raises(ReportError):
        report()
    assert {name: (folder / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("size", [0, 20_000, 600_000])
def test_a_disk_that_fills_up_while_writing_leaves_the_earlier_report(history: History, report: MakeReport, size: int) -> None:
    history.add_finding(reason="Of before")
    history.add_run()
    folder = report().folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for number in range(500):
        history.add_finding(message=f"{number} {'words ' * 300}")
    history.publish()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(ReportError, match=r"cannot be written: File too large\..*earlier report are unharmed\. Make room"):
            write_report(history.settings, None, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list_all(history.settings) == [f"2026-11-20/{name}" for name in FILES]


def test_what_a_killed_process_left_is_cleared_away(history: History, report: MakeReport) -> None:
    history.add_run()
    old = history.settings.reports / ".2026-11-20.0123"
    old.mkdir(parents=True)
    (old / "index.html").write_text("half")
    os.utime(old, (0, 0))
    young = history.settings.reports / ".2026-11-20.4567"
    young.mkdir()
    report()
    assert not old.exists()
    assert young.exists()
