"""The workbook and the CSV file, read back."""

import csv
import datetime as dt
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.escape import unescape

from jobrecon.reports.findings_csv import COLUMNS
from jobrecon.reports.formatting import MAX_CELL_UNITS, disarm_formula, fit_cell, shorten
from jobrecon.reports.workbook import FIXED_COLUMNS, MAX_FIXED_ROWS, OPEN_COLUMNS, OPTIONS, write_workbook
from tests.reports.conftest import NOW, History, MakeReport

ReadWorkbook = Callable[[], tuple[Workbook, dict[str, list[dict[str, Any]]]]]
NAMES = [column.name for column in OPEN_COLUMNS]


@pytest.fixture
def read_workbook(report: MakeReport) -> ReadWorkbook:
    """The rows of each sheet, as dictionaries by column name."""

    def read() -> tuple[Workbook, dict[str, list[dict[str, Any]]]]:
        workbook = load_workbook(report().folder / "findings.xlsx")
        sheets = {}
        for sheet in workbook.worksheets[:3]:
            names = [column.name for column in FIXED_COLUMNS] if sheet.title == "Fixed" else NAMES
            sheets[sheet.title] = [
                dict(zip(names, row, strict=True)) for row in sheet.iter_rows(min_row=2) if any(cell.value for cell in row)
            ]
        return workbook, sheets

    return read


def read_csv(folder: Path) -> list[dict[str, str]]:
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_finding_stands_on_the_sheets_it_belongs_to(history: History, read_workbook: ReadWorkbook) -> None:
    history.add_finding()
    history.add_finding(severity="LOW")
    history.add_finding(owner="PARTNER")
    history.add_finding(resolved_at=NOW, resolution="RELISTED")
    history.add_run()
    _, sheets = read_workbook()
    ids = {name: [row["finding_id"].value for row in rows] for name, rows in sheets.items()}
    assert ids == {"Do today": ["f1"], "All open": ["f1", "f3", "f2"], "Fixed": ["f4"]}
    assert sheets["Fixed"][0]["ending"].value == "the job is on LinkedIn again"


def test_cells_have_types_and_ids_stay_text(history: History, read_workbook: ReadWorkbook) -> None:
    history.add_finding(hours_ago=2.5, external_job_posting_id="00123")
    history.add_run()
    _, sheets = read_workbook()
    [row] = sheets["All open"]
    assert row["external_job_posting_id"].value == "00123"
    assert row["since"].value == dt.datetime.fromisoformat("2026-11-20T09:30")
    assert row["since"].is_date
    assert row["age_hours"].value == 2.5


def test_sheets_have_a_frozen_heading_and_a_filter(history: History, read_workbook: ReadWorkbook) -> None:
    history.add_finding()
    history.add_run()
    workbook, _ = read_workbook()
    for sheet in workbook:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
        assert sheet.column_dimensions["A"].width > 8
    assert workbook.sheetnames == ["Do today", "All open", "Fixed", "Changes", "Trend"]
    assert [cell.value for cell in workbook["All open"][1]] == [column.heading for column in OPEN_COLUMNS]
    assert "Wrong since (UTC)" in [cell.value for cell in workbook["All open"][1]]


def test_no_cell_is_a_formula_or_a_link(history: History, read_workbook: ReadWorkbook, report: MakeReport) -> None:
    history.add_job("=1+1", title="=cmd|' /C calc'!A0", customer="@SUM(A1)", job_posting_url="https://www.linkedin.com/jobs/view/1")
    history.add_finding(external_job_posting_id="=1+1", message="\u202e=HYPERLINK(1)", reason="-2+3", code="+49")
    history.add_run()
    workbook, sheets = read_workbook()
    assert {cell.data_type for sheet in workbook for row in sheet for cell in row} <= {"s", "d", "n", "inlineStr"}
    assert not [cell for sheet in workbook for row in sheet for cell in row if cell.hyperlink]
    assert sheets["All open"][0]["external_job_posting_id"].value == "=1+1"
    [row] = read_csv(report().folder)
    assert row["external_job_posting_id"] == "'=1+1"
    assert row["title"] == "'=cmd|' /C calc'!A0"
    assert row["message"] == "'=HYPERLINK(1)"
    assert row["reason"] == "'-2+3"


def test_the_csv_has_all_columns_and_moments_with_offset(history: History, report: MakeReport) -> None:
    history.add_finding(since=NOW - dt.timedelta(hours=2, microseconds=-999_999), customer="Söder, “Kliniken”\nGmbH")
    history.add_run()
    folder = report().folder
    assert (folder / "findings.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    [row] = read_csv(folder)
    assert list(row) == [column.name for column in COLUMNS]
    assert row["since"] == "2026-11-20T10:00:00+00:00"
    assert row["customer"] == "Söder, “Kliniken”\nGmbH"


@pytest.mark.parametrize("text", ["m" * 10_000, "m" * 40_000, "😀" * 20_000])
def test_long_text_is_kept_as_far_as_a_cell_holds(history: History, report: MakeReport, text: str) -> None:
    history.add_finding(message=text)
    history.add_run()
    folder = report().folder
    column = NAMES.index("message") + 1
    in_workbook: Any = load_workbook(folder / "findings.xlsx")["All open"].cell(2, column).value
    [row] = read_csv(folder)
    assert in_workbook == row["message"]
    assert in_workbook == text if len(text) == 10_000 else in_workbook.endswith("…")
    assert len(in_workbook.encode("utf-16-le")) // 2 <= MAX_CELL_UNITS


FORMULAS = ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "\u200f=1", "\x01=1", "\uff1d1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_starts_with_an_apostrophe(text: str) -> None:
    assert disarm_formula(text).startswith("'")


@pytest.mark.parametrize("text", ["", "a=1", "1-2", "'=1", "Nurse (m/f/d)"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert disarm_formula(text) == text


def test_text_is_cut_to_its_limit_and_no_further() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten(" a \n b ", 6) == "a b"
    assert shorten("a" + " " * 5_000 + "b", 6).endswith("…")
    assert shorten(None, 6) == ""
    assert fit_cell("x" * MAX_CELL_UNITS) == "x" * MAX_CELL_UNITS


def test_a_sheet_holds_the_worst_findings_and_says_where_the_others_are(history: History, report: MakeReport, tmp_path: Path) -> None:
    for severity in ("LOW", "HIGH", "MEDIUM", "HIGH"):
        history.add_finding(severity=severity)
    history.add_run()
    written = report()
    write_workbook(written.facts, tmp_path / "short.xlsx", max_rows=2)
    sheet = load_workbook(tmp_path / "short.xlsx")["All open"]
    column = NAMES.index("finding_id") + 1
    assert [sheet.cell(row, column).value for row in (2, 3, 4)] == ["f2", "f4", None]
    assert sheet["A4"].value == "2 more rows: see findings.csv for those that are open, the published copy for all."
    assert sheet.auto_filter.ref == "A1:T3"
    assert len(read_csv(written.folder)) == 4


def test_each_account_manager_has_a_workbook_of_their_own_jobs(history: History, report: MakeReport) -> None:
    history.add_finding(reason="Yours", account_manager="Dana Fox")
    history.add_finding(reason="Theirs", account_manager="Jo Ng")
    history.add_run()
    folder = report().folder
    column = NAMES.index("reason") + 1
    own = load_workbook(folder / "dana-fox.xlsx")["All open"]
    assert [own.cell(row, column).value for row in range(2, own.max_row + 1)] == ["Yours"]
    assert load_workbook(folder / "findings.xlsx")["All open"].max_row == 3


def test_moments_that_excel_cannot_count_are_text(history: History, read_workbook: ReadWorkbook) -> None:
    history.add_finding(since=dt.datetime(1601, 1, 1, tzinfo=dt.UTC))
    history.add_run()
    _, sheets = read_workbook()
    assert sheets["All open"][0]["since"].value == "1601-01-01 00:00"


STRANGE = st.text(st.sampled_from("a9Z -=+@&<>_x0041\t\r\n\u200f\u00fc\U0001f600"), max_size=8)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=30)
@given(st.lists(STRANGE | ANY, max_size=20))
def test_each_text_is_in_its_cell_as_excel_reads_it(texts: list[str]) -> None:
    file = BytesIO()
    workbook = xlsxwriter.Workbook(file, OPTIONS)
    sheet = workbook.add_worksheet()
    for row, text in enumerate(texts):
        sheet.write_string(row, 0, fit_cell(text))
    workbook.close()
    cells = load_workbook(file).worksheets[0]
    # The reader takes a carriage return as XML does; Excel, which reads the escape, does not.
    read = [unescape(str(cells.cell(row + 1, 1).value or "")) for row in range(len(texts))]
    assert [text.replace("\r\n", "\n").replace("\r", "\n") for text in read] == [
        fit_cell(text).replace("\r\n", "\n").replace("\r", "\n") for text in texts
    ]


def test_of_many_that_were_fixed_the_workbook_has_the_latest_and_the_page_says_so(history: History, report: MakeReport) -> None:
    for number in range(MAX_FIXED_ROWS + 2):
        history.add_finding(hours_ago=3, resolved_at=NOW - dt.timedelta(seconds=number), resolution="SUCCEEDED")
    history.add_run()
    folder = report().folder
    # The heading, the rows, and the line that says that there are more.
    assert load_workbook(folder / "findings.xlsx")["Fixed"].max_row == 1 + MAX_FIXED_ROWS + 1
    assert "902 more; the latest 1,000 are in <a" in (folder / "index.html").read_text(encoding="utf-8")
