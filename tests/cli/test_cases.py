"""Files as users have them (cases/), and what comes of each: a broken quote, ids of every type, Excel, American dates, latin-1."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ACME, MakeUser, User

CASES = Path(__file__).parent / "cases"
URN = "urn:li:developerApplication:2002"


@pytest.fixture
def partner(make_user: MakeUser) -> User:
    """A user whose application is the one that the files name."""
    return make_user(JOBRECON_APPLICATION_URN=URN)


def import_case(user: User, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return user.run("tasks", "import", *options, CASES / name)


def read_ids(user: User) -> list[str]:
    return [job for (job,) in user.read("select external_job_posting_id from job_tasks order by 1", user.home / "warehouse.duckdb")]


def test_a_quote_that_never_closes_costs_its_own_row_alone(partner: User) -> None:
    finished = import_case(partner, "open_quote.csv")
    assert "39 tasks added, 0 known already, 1 rows rejected" in finished.stdout
    assert "opens a quote that is not closed (first in line 5)" in finished.stdout + finished.stderr
    assert (finished.returncode, set(read_ids(partner))) == (0, {f"job-{number}" for number in range(40)} - {"job-3"})


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("ids_tasks.ndjson", ["4711", "99999999999999999998", "99999999999999999999", "job-2"]),
        ("int_id.parquet", ["4711", "4712"]),
        ("decimal_id.parquet", ["4711", "4712"]),
        ("binary.parquet", ["a", "b"]),
        ("pandas.ndjson", ["a", "b"]),
    ],
)
def test_ids_of_every_type_are_their_digits_or_text(partner: User, name: str, ids: list[str]) -> None:
    finished = import_case(partner, name)
    assert f"{len(ids)} tasks added, 0 known already, 0 rows rejected" in finished.stdout
    assert read_ids(partner) == ids


def test_each_notification_finds_its_job(make_user: MakeUser) -> None:
    user = make_user(JOBRECON_APPLICATION_URN=ACME)
    assert import_case(user, "ids_tasks.ndjson").returncode == 0
    assert user.run("notifications", "import", CASES / "ids_notifications.ndjson").returncode == 0
    joined = "select count(*), count(distinct external_job_posting_id) from job_tasks join notifications using (external_job_posting_id)"
    assert user.read(joined, user.home / "warehouse.duckdb") == [(4, 4)]


def test_a_place_in_parts_goes_in_as_text(partner: User) -> None:
    assert "2 tasks added, 0 known already, 0 rows rejected" in import_case(partner, "structloc.parquet").stdout
    assert partner.read("select location from job_tasks order by 1", partner.home / "warehouse.duckdb") == [("Bergen",), ("Oslo",)]


def test_moments_as_pandas_and_german_excel_write_them(partner: User) -> None:
    assert "2 tasks added" in import_case(partner, "pandas.ndjson").stdout
    assert (
        "10 tasks added, 0 known already, 0 rows rejected" in import_case(partner, "semicolons.csv", "--timezone", "Europe/Berlin").stdout
    )
    moments = "select distinct strftime(requested_at at time zone 'UTC', '%d %H:%M') from job_tasks order by 1"
    assert partner.read(moments, partner.home / "warehouse.duckdb") == [("20 08:00",), ("20 09:00",), ("25 23:35",)]


def test_american_dates_are_refused_until_their_format_is_named(partner: User) -> None:
    refused = import_case(partner, "us_dates.csv")
    assert "0 tasks added, 0 known already, 10 rows rejected" in refused.stdout
    assert "--date-format" in refused.stdout + refused.stderr
    assert refused.returncode == 1
    read = import_case(partner, "us_dates.csv", "--date-format", "%m/%d/%Y %H:%M")
    assert (read.returncode, "10 tasks added" in read.stdout) == (0, True)


def test_a_file_that_is_not_utf_8_is_read_once_its_encoding_is_named(partner: User) -> None:
    refused = import_case(partner, "latin1.csv")
    assert refused.returncode == 1
    assert "line 2, column 148 holds the byte 0xe4. Name its encoding, such as --encoding latin-1" in refused.stderr
    read = import_case(partner, "latin1.csv", "--encoding", "latin-1")
    assert (read.returncode, "10 tasks added" in read.stdout) == (0, True)
    assert partner.read("select count(*) from job_tasks where title like 'Bäcker%'", partner.home / "warehouse.duckdb") == [(10,)]
