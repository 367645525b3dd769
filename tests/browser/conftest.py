"""A report of a busy day, opened in Debian's Chromium. Skipped where that is not installed; `.ci/run` installs it."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from jobrecon.reports.report import write_report
from jobrecon.settings import Settings
from tests.reports.conftest import NOW, History

CHROMIUM = Path("/usr/bin/chromium")
EVIL = "<script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\">\"'>{{ 7*7 }} \u202eexe.fdp"
CUSTOMERS = ["Acme", "Blue Harbour", EVIL]


# Not for the session: while Playwright is open its event loop runs, and nobody after it could call asyncio.run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with 60 findings of three customers and three queues, each with its timeline; an incomplete day."""
    settings = Settings(home=tmp_path_factory.mktemp("browser"), timezone="UTC", _env_file=None)
    history = History(settings)
    for number in range(60):
        customer, owner = CUSTOMERS[number % 3], ["CUSTOMER", "PARTNER", "LINKEDIN"][number % 2]
        application = f"urn:li:developerApplication:{number % 3}"
        opened_at = NOW - dt.timedelta(hours=1 + number * 3)
        history.add_job(
            f"job-{number}",
            title=EVIL if number == 1 else f"Nurse {number}",
            customer=customer,
            application_urn=application,
            job_posting_url="https://www.linkedin.com/jobs/view/1",
        )
        history.add_task(
            f"task-{number}",
            f"job-{number}",
            application_urn=application,
            requested_at=opened_at - dt.timedelta(hours=1),
            status="FAILED",
            status_changed_at=opened_at,
        )
        history.add_finding(
            external_job_posting_id=f"job-{number}", application_urn=application, customer=customer, owner=owner, opened_at=opened_at,
            kind="FAILED" if number % 4 else "UNLISTED", facet="TASK" if number % 4 else "LISTING",
            task_urn=f"task-{number}", message=EVIL, reason=f"Reason {number % 2} {EVIL}",
        )  # fmt: skip
    for day in range(14):
        history.add_run(NOW - dt.timedelta(days=day), "COMPLETED" if day else "INCOMPLETE", incomplete_reasons=None if day else EVIL)
    history.publish()
    return write_report(settings, NOW.date(), NOW).folder


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, folder: Path) -> Iterator[Open]:
    """Opens a page; at the end nothing may have been requested from anywhere else, and nothing logged."""
    pages: list[Page] = []
    requests: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        requests.append(request.url)

    def open_in_browser(anchor: str = "", name: str = "index.html", **options: Any) -> Page:
        page = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | options)).new_page()
        page.on("request", note)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((folder / name).as_uri() + anchor)
        pages.append(page)
        return page

    yield open_in_browser
    for page in pages:
        assert "caught" not in page.title()
        page.context.close()
    assert complaints == []
    assert all(url.startswith(folder.as_uri()) for url in requests), requests
