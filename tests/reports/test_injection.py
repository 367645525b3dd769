"""Text that strangers wrote is inert wherever a person meets it: page, mail, workbook, CSV, chat, terminal."""

import csv
import json
from io import BytesIO

import pytest
from openpyxl import load_workbook

from jobrecon.delivery.deliver import deliver_report
from jobrecon.reports.formatting import INVISIBLE
from tests.delivery.conftest import Chat, chat, mailbox  # noqa: F401  fixtures
from tests.delivery.mail_server import Mailbox, serve_mail
from tests.delivery.test_mail import read_parts
from tests.reports.conftest import NOW, History, MakeReport
from tests.reports.test_page import Page

TEXTS = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--timelines-->",
    "{{ 7*7 }}{% raw %}",
    "\u202eexe.fdp\u2066 \u200f",
    '=HYPERLINK("https://example.com","open")',
    "@SUM(A1)\t=1",
    "-2+3+cmd|' /C calc'!A0",
    "\x1b]8;;https://example.com\x07click\x1b]8;;\x07 \x1b[2J",
    "[a](javascript:alert(1)) `code` <!channel> <@U1>",
    "x" * 10_000,
    "line\r\nBcc: everybody@example.com\r\n\r\nbody",
    "李 é 😀 ﷽",
]


@pytest.fixture
def wild(history: History) -> History:
    """A finding for each text, which stands wherever a stranger's text can."""
    for number, text in enumerate(TEXTS):
        job = f"job-{number} {text}"[:300]
        history.add_job(job, title=text, customer=text, account_manager="Dana Fox", job_posting_url=text)
        history.add_task(f"task-{number}", job, operation=text[:40], location=text[:60], error_message=text)
        history.add_finding(
            external_job_posting_id=job,
            customer=text,
            code=text,
            message=text,
            reason=text,
            next_action=text,
            location=text,
            task_urn=f"task-{number}",
        )
        history.add_finding(external_job_posting_id=job, customer=text, resolved_at=NOW, resolution=text, message=text)
    history.add_run(state="INCOMPLETE", incomplete_reasons="\n".join(text.replace("\r\n", " ") for text in TEXTS))
    return history


def test_in_a_page(wild: History, report: MakeReport) -> None:
    page = Page((report().folder / "index.html").read_text(encoding="utf-8"))
    assert page.open_tags == []
    assert not {"img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [{"type": "application/json", "id": "timelines"}, {}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(link.startswith(("#", "index", "dana-fox", "findings", "remedies", "summary")) for link in page.links)
    assert not INVISIBLE.search("".join(page.words))


def test_in_the_timelines_of_a_page(wild: History, report: MakeReport) -> None:
    page = (report().folder / "index.html").read_text(encoding="utf-8")
    packed = page.split('<script type="application/json" id="timelines">')[1].split("</script>")[0]
    timelines = json.loads(packed)
    assert "<" not in packed
    assert any("<script>alert(1)</script>" in text for text in timelines["t"])
    assert len(timelines["j"]) == len(TEXTS)


def test_in_a_mail(wild: History, mailbox: Mailbox, report: MakeReport) -> None:  # noqa: F811
    deliver_report(wild.settings, report(), NOW)
    [mail] = mailbox.mails
    assert mail["bcc"] is None
    assert set(mail.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "MIME-Version", "Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo"
    }  # fmt: skip
    text, html, attachment = read_parts(mail)
    page = Page(html)
    assert not {"script", "img", "iframe", "object", "base", "form", "link"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert [attributes for tag, attributes in page.tags if tag == "a"] == []
    assert not INVISIBLE.search(text.replace("\r", ""))
    assert len(html.encode()) < 80_000
    check_workbook(attachment.get_content())


def test_in_the_workbook(wild: History, report: MakeReport) -> None:
    check_workbook((report().folder / "findings.xlsx").read_bytes())


def check_workbook(content: bytes) -> None:
    workbook = load_workbook(BytesIO(content))
    cells = [cell for sheet in workbook for row in sheet for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "d", "n", "inlineStr"}
    assert not [cell for cell in cells if cell.hyperlink]
    texts = {cell.value for cell in cells if isinstance(cell.value, str)}
    assert '=HYPERLINK("https://example.com","open")' in texts
    assert "x" * 10_000 in texts
    assert not any(INVISIBLE.search(text.replace("\r", "")) for text in texts)


def test_in_the_list(wild: History, report: MakeReport) -> None:
    with (report().folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(TEXTS)
    for row in rows:
        assert not [value for value in row.values() if value.lstrip().startswith(("=", "+", "-", "@"))]


def test_in_a_chat(wild: History, report: MakeReport, chat: Chat) -> None:  # noqa: F811
    deliver_report(wild.settings, report(), NOW)
    [message] = chat.messages
    assert not set(message["message"]) & set("<>[]")
    assert not INVISIBLE.search(json.dumps(message, ensure_ascii=False))


def test_on_a_terminal(wild: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from jobrecon.cli.app import app

    wild.publish()
    monkeypatch.setenv("JOBRECON_HOME", str(wild.settings.home))
    with pytest.raises(SystemExit) as ended:
        app(["report", "--date", NOW.date().isoformat()])
    assert ended.value.code == 0
    shown = "".join(capsys.readouterr())
    assert "INCOMPLETE" in shown
    assert "\x1b]8" not in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown


def test_an_smtp_server_is_given_no_line_of_strangers_as_a_command(wild: History, report: MakeReport) -> None:
    from pydantic import SecretStr

    wild.add_customer("Acme", "Dana\r\nBcc: everybody@example.com", "urn:1", email="dana@example.com")
    wild.add_finding(account_manager="Dana\r\nBcc: everybody@example.com", message=".\r\nQUIT\r\n")
    with serve_mail() as box:
        wild.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{box.port}?starttls=off")
        wild.settings.mail_from = "jobrecon@example.com"
        deliver_report(wild.settings, report(), NOW)
    [mail] = box.mails
    assert mail["to"].addresses[0].addr_spec == "dana@example.com"
    assert mail["bcc"] is None
