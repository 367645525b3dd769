"""What a person reads, and what strangers' text cannot do to it."""

import datetime as dt
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from jobrecon.reports.facts import list_rows
from jobrecon.reports.page import find_link, name_pages
from tests.reports.conftest import NOW, GatherFacts, History, MakeReport

HOUR = dt.timedelta(hours=1)
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} \u202eexe.fdp\u2066 & é 李"


class Page(HTMLParser):
    """A page as a browser takes it: its tags, its text, its ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open_tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    VOID = ("meta", "br", "img", "link", "input", "hr")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open_tags):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def links(self) -> list[str]:
        return [attributes.get("href") or "" for tag, attributes in self.tags if tag == "a"]

    @property
    def ids(self) -> list[str]:
        return [id_ for _, attributes in self.tags if (id_ := attributes.get("id"))]


@pytest.fixture
def read_page(report: MakeReport) -> Callable[..., Page]:
    """The page of the report, parsed."""

    def read(name: str = "index.html", **options: Any) -> Page:
        return Page((report(**options).folder / name).read_text(encoding="utf-8"))

    return read


def test_every_open_finding_can_be_linked_to(history: History, read_page: Callable[..., Page]) -> None:
    for owner, severity in [("CUSTOMER", "HIGH"), ("PARTNER", "MEDIUM"), ("LINKEDIN", "HIGH"), ("CUSTOMER", "LOW")]:
        history.add_finding(owner=owner, severity=severity)
    history.add_finding(resolved_at=NOW, resolution="SUCCEEDED")
    history.add_run()
    page = read_page()
    assert {f"finding-f{number}" for number in range(1, 6)} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.open_tags == []


def test_a_finding_shows_job_customer_cause_action_age_and_link(history: History, read_page: Callable[..., Page]) -> None:
    history.add_job("job-1", title="Nurse", job_posting_url="https://www.linkedin.com/jobs/view/1")
    history.add_task("t1", "job-1", operation="CLOSE")
    history.add_finding(hours_ago=75, task_urn="t1", message="Too <short>", reason="It is too short.", next_action="Ask for more.")
    history.add_run()
    page = read_page()
    for words in ("Nurse job-1", "Acme", "It is too short.", "Ask for more.", "17 Nov 09:00, 3 days", "Closing failed", "Too <short>"):
        assert words in page.text
    [link] = [attributes for tag, attributes in page.tags if tag == "a" and str(attributes["href"]).startswith("https:")]
    assert link == {"href": "https://www.linkedin.com/jobs/view/1", "rel": "noreferrer", "aria-label": "Nurse on LinkedIn"}


def test_one_cause_that_hits_many_jobs_is_described_once(history: History, read_page: Callable[..., Page]) -> None:
    for _ in range(41):
        history.add_finding(reason="The location is unknown.", next_action="Ask for the country.")
    history.add_run()
    page = read_page("dana-fox.html")
    assert "41 jobs : The location is unknown." in page.text
    assert page.text.count("Ask for the country.") == 1
    assert len([name for name in page.ids if name.startswith("finding-")]) == 41


def test_what_differs_in_its_code_alone_is_one_cause(history: History, read_page: Callable[..., Page]) -> None:
    for code in ("A", "B", None):
        history.add_finding(reason="The promotion ended.", next_action="Ask why.", code=code)
    history.add_run()
    page = read_page("dana-fox.html")
    assert page.text.count("Ask why.") == 1
    assert "3 jobs : The promotion ended." in page.text
    assert "Code:" not in page.text


def test_an_expiring_job_says_when_its_time_runs_out(history: History, read_page: Callable[..., Page]) -> None:
    history.add_job("job-1", expire_at=NOW + HOUR)
    history.add_finding(external_job_posting_id="job-1", kind="EXPIRING", facet="LISTING", severity="LOW", owner="PARTNER")
    history.add_run()
    assert "ends 20 Nov 13:00" in read_page("dana-fox.html").text


def test_who_sends_is_said_once(history: History, read_page: Callable[..., Page]) -> None:
    action = "Ask the customer to correct it, then your integration team sends the job again as an update."
    history.add_finding(reason="a", next_action=action, remedy="UPDATE")
    history.add_finding(reason="b", next_action="Ask your integration team to look.", remedy="CREATE", owner="PARTNER")
    history.add_run()
    text = read_page("dana-fox.html").text
    assert text.count("To LinkedIn:") == 1
    assert "To LinkedIn: Your integration team has to send it as a new job." in text


def test_text_from_outside_stays_text(history: History, read_page: Callable[..., Page]) -> None:
    history.add_job("job-1", title=EVIL, customer=EVIL, account_manager=EVIL, job_posting_url="javascript:alert(1)")
    history.add_finding(
        external_job_posting_id="job-1",
        customer=EVIL,
        account_manager=EVIL,
        code=EVIL,
        reason=EVIL,
        message=EVIL,
        next_action=EVIL,
        location=EVIL,
    )
    history.add_finding(message="other", customer=EVIL, finding_id='"><script>')
    history.add_finding(resolved_at=NOW, resolution=EVIL, customer=EVIL)
    history.add_run(state="INCOMPLETE", incomplete_reasons=EVIL)
    page = read_page()
    assert not {"img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{"type": "application/json", "id": "timelines"}, {}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "{{ 7*7 }} {% raw %} exe.fdp & é 李" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert not set("\u202e\u2066") & set("".join(page.words))
    assert page.open_tags == []


def test_a_page_loads_nothing_from_anywhere(history: History, read_page: Callable[..., Page]) -> None:
    history.add_job("job-1", job_posting_url="https://www.linkedin.com/jobs/view/1")
    history.add_finding(external_job_posting_id="job-1")
    history.add_run()
    page = read_page()
    assert not [attributes for tag, attributes in page.tags if "src" in attributes or tag == "link"]
    addresses = page.links
    outside = [address for address in addresses if ":" in address]
    assert outside == ["https://www.linkedin.com/jobs/view/1"]
    assert {address for address in addresses if "#" not in address and ":" not in address} == {
        "dana-fox.html",
        "findings.xlsx",
        "findings.csv",
        "remedies.csv",
        "summary.json",
    }


def test_every_link_within_a_page_leads_somewhere(history: History, read_page: Callable[..., Page]) -> None:
    history.add_finding(owner="LINKEDIN")
    history.add_run()
    page = read_page()
    anchors = {link[1:] for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://www.linkedin.com/jobs/view/1", True),
        ("https://linkedin.com/jobs/view/1", True),
        ("javascript:alert(1)//www.linkedin.com", False),
        ("https://www.linkedin.com.example.org/jobs", False),
        ("https://notlinkedin.com/", False),
        ("https://[bad", False),
        ("//www.linkedin.com/jobs", False),
        (None, False),
    ],
)
def test_only_an_address_at_linkedin_becomes_a_link(history: History, gather: GatherFacts, url: str | None, is_link: bool) -> None:
    history.add_job("job-1", job_posting_url=url)
    history.add_finding()
    history.add_run()
    [finding] = list_rows(gather().open_findings)
    assert bool(find_link(finding)) is is_link


def test_very_long_text_is_cut_on_the_page(history: History, read_page: Callable[..., Page]) -> None:
    history.add_job("job-1", title="T" * 10_000)
    history.add_finding(message="m" * 10_000, customer="c" * 10_000, reason="r" * 10_000)
    history.add_run()
    page = read_page()
    assert len(page.text) < 10_000
    assert "T" * 119 + "…" in page.text


def test_two_thousand_findings_stay_under_a_megabyte(history: History, report: MakeReport) -> None:
    history.add_run()
    for number in range(2_000):
        job = f"REQ-2026-{number:06}"
        history.add_job(
            job, title=f"Senior Software Engineer {number}", job_posting_url=f"https://www.linkedin.com/jobs/view/{4_000_000_000 + number}"
        )
        history.add_finding(
            finding_id=f"{number:032x}",
            external_job_posting_id=job,
            customer="Northwind Logistics",
            reason=f"Cause {number % 40}",
            message=f"{number} {'words ' * 100}",
        )
    folder = report().folder
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count('id="finding-') == 2_000
    assert (folder / "index.html").stat().st_size < 1_000_000


def test_what_finds_no_room_on_the_page_is_counted(history: History, read_page: Callable[..., Page]) -> None:
    history.add_run()
    for _ in range(2_003):
        history.add_finding()
    page = read_page()
    assert "2,003 jobs need you" in page.text
    assert "3 more rows found no room on this page" in page.text


def test_each_account_manager_reads_of_their_own_jobs_only(history: History, report: MakeReport) -> None:
    history.add_finding(reason="Yours", account_manager="Dana Fox")
    history.add_finding(reason="Theirs", account_manager="Jo Ng")
    history.add_finding(reason="Nobody's", account_manager=None)
    history.add_run()
    folder = report().folder
    pages = {path.name: Page(path.read_text(encoding="utf-8")).text for path in folder.glob("*.html")}
    assert set(pages) == {"index.html", "dana-fox.html", "jo-ng.html", "no-account-manager.html"}
    assert "Yours" in pages["dana-fox.html"]
    assert "Theirs" not in pages["dana-fox.html"]
    assert "Nobody's" in pages["no-account-manager.html"]
    assert all(word in pages["index.html"] for word in ("Yours", "Theirs", "Nobody's"))


def test_no_two_pages_share_a_name() -> None:
    names = ["Index", "Findings", "Jo Ng", "jo ng", "Jo-Ng 2", "李", "李 2", "!!!", "..", "a/b", "x" * 300]
    pages = name_pages(names)
    assert list(pages) == names
    assert len(set(pages.values())) == len(names)
    assert not {"index.html", "findings.html"} & set(pages.values())
    assert all("/" not in page and len(page) < 100 and page == page.lower() for page in pages.values())


def test_an_incomplete_report_says_so_in_a_banner(history: History, read_page: Callable[..., Page]) -> None:
    history.add_run(state="INCOMPLETE", incomplete_reasons="the inbox could not be read")
    page = read_page()
    assert "INCOMPLETE" in page.text
    assert "The inbox could not be read." in page.text
    assert "All clear" not in page.text


def test_a_complete_report_has_no_banner(history: History, read_page: Callable[..., Page]) -> None:
    history.add_job("job-1")
    history.add_run()
    page = read_page()
    assert "INCOMPLETE" not in page.text
    assert "All clear" in page.text


def test_thresholds_in_the_words_are_the_ones_that_are_set(history: History, read_page: Callable[..., Page]) -> None:
    history.settings.stuck_after = 5400
    history.add_run()
    assert "90 min or more after it was sent" in read_page().text


def test_the_page_adds_up_what_was_fixed_and_what_ended_otherwise(history: History, read_page: Callable[..., Page]) -> None:
    history.add_finding(hours_ago=40, resolved_at=NOW - HOUR, resolution="SUCCEEDED")
    history.add_finding(hours_ago=40, resolved_at=NOW - HOUR, resolution="SUPERSEDED")
    history.add_finding()
    history.add_run()
    roll = "All lists together: 2 jobs the day before + 1 more − 1 fixed − 1 ended otherwise = 1 job now"
    assert roll in read_page().text
