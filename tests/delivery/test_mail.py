"""Mails through a real SMTP server, parsed back: what they say, and that each goes out once."""

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pydantic import SecretStr

from jobrecon.delivery.deliver import deliver_report
from jobrecon.delivery.outbox import Outbox, SendState
from jobrecon.errors import ConfigurationError, DeliveryFailed
from jobrecon.reports.report import ReportResult
from tests.delivery.conftest import NOW, Chat, Deliver, History, add_two_managers
from tests.delivery.mail_server import Mailbox, make_certificate, serve_mail

DAY = dt.timedelta(days=1)


def read_parts(mail: EmailMessage) -> tuple[str, str, EmailMessage]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content(), next(mail.iter_attachments())


def test_each_account_manager_and_the_one_for_all_get_a_mail(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    add_two_managers(history)
    delivery = deliver()
    assert delivery.sent == ["dana-fox", "jo-ng", "index"]
    assert mailbox.recipients == ["dana@example.com", "jo@example.com", "boss@example.com"]
    for mail, own, foreign in zip(mailbox.mails, ["Acme's", "Beta's", "Acme's"], ["Beta's", "Acme's", "Gamma's"], strict=True):
        text, html, attachment = read_parts(mail)
        assert own in text
        assert foreign not in text
        assert own.replace("'", "&#39;") in html or own in html
        assert attachment.get_filename() == "findings-2026-11-20.xlsx"
        sheets = load_workbook(BytesIO(attachment.get_content()))
        assert sheets.sheetnames == ["Do today", "All open", "Fixed", "Changes", "Trend"]
        assert sheets["All open"].max_row == (3 if mail["to"] == "boss@example.com" else 2)


def test_the_subject_is_the_verdict(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    add_two_managers(history)
    deliver()
    assert [mail["subject"] for mail in mailbox.mails] == [
        "1 job needs you, new since yesterday",
        "1 job needs you, new since yesterday",
        "2 jobs need you, all of them new since yesterday",
    ]


def test_all_clear_is_said_when_everything_was_seen(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.add_job("job-1")
    history.add_run()
    deliver()
    assert mailbox.mails[0]["subject"] == "All clear: nothing is wrong with the one job"


def test_an_incomplete_day_says_so_before_anything_else(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.add_job("job-1")
    history.add_run(state="INCOMPLETE", incomplete_reasons="the inbox could not be read")
    deliver()
    [mail] = mailbox.mails
    assert mail["subject"] == "INCOMPLETE: No issue is known, but not everything was checked"
    text, html, _ = read_parts(mail)
    for body in (text, html):
        assert "The inbox could not be read." in body
        assert "All clear" not in body


def test_mails_of_one_reader_make_one_thread(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.add_run(NOW - DAY)
    history.add_run()
    deliver(date=(NOW - DAY).date())
    deliver()
    first, second = mailbox.mails
    assert first["message-id"] != second["message-id"]
    assert second["in-reply-to"] == first["message-id"]
    assert second["references"].split()[0] == first["references"].split()[0]
    assert first["message-id"].endswith("@example.com>")


def test_a_mail_links_to_the_report_where_that_is_served(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.settings.report_url = "https://reports.example.com/jobs/"
    add_two_managers(history)
    deliver()
    text, html, _ = read_parts(mailbox.mails[0])
    assert "https://reports.example.com/jobs/2026-11-20/dana-fox.html" in text
    assert 'href="https://reports.example.com/jobs/2026-11-20/dana-fox.html"' in html


def test_a_mail_is_sent_once_however_often_its_report_is_made(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    add_two_managers(history)
    deliver()
    again = deliver()
    assert again.sent == []
    assert again.known == ["dana-fox", "jo-ng", "index"]
    assert len(mailbox.mails) == 3


def test_html_stays_below_80_kb_and_holds_only_what_mail_programs_show(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.add_run()
    for number in range(3_000):
        history.add_finding(
            reason=f"Cause {number % 60} {'long ' * 60}", next_action=f"Do {number % 60} {'this ' * 100}", customer="c" * 60
        )
    deliver()
    _, html, _ = read_parts(mailbox.mails[0])
    assert 20_000 < len(html.encode()) < 80_000
    for element in ("<script", "<img", "<link", "<svg", "<form", "url("):
        assert element not in html
    assert html.count('style="') > 50


def test_a_server_with_tls_and_a_login_is_used_with_both(
    history: History, mailbox: Mailbox, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve_mail(certificate, "p@ss word") as box:
        history.settings.smtp_url = SecretStr(f"smtp://dana:p%40ss%20word@127.0.0.1:{box.port}")
        history.add_run()
        assert deliver().sent == ["index"]
    assert box.logins == [("dana", "p@ss word")]


def test_a_wrong_password_is_explained_without_it(
    history: History, mailbox: Mailbox, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    history.add_run()
    with serve_mail(certificate, "right") as box:
        history.settings.smtp_url = SecretStr(f"smtp://dana:wrong-word@127.0.0.1:{box.port}")
        with pytest.raises(DeliveryFailed, match="refused user or password") as caught:
            deliver()
    assert "wrong-word" not in str(caught.value)
    assert "wrong-word" not in repr(history.settings)


@pytest.mark.parametrize("greeting", [b"", b"220 ready\r\n"])
def test_a_server_that_does_not_respond_is_no_wrong_password(history: History, deliver: Deliver, greeting: bytes) -> None:
    history.settings.mail_from = history.settings.mail_to = "boss@example.com"
    history.add_run()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(greeting)
                connection.recv(1)
                connection.recv(65_536)
                ended.wait(10)

        ended = threading.Event()
        threading.Thread(target=greet, daemon=True).start()
        history.settings.smtp_url = SecretStr(f"smtp://dana:word@127.0.0.1:{listener.getsockname()[1]}?timeout=0.2")
        with pytest.raises(DeliveryFailed, match=r"did not respond within 0\.2 s"):
            deliver()
        ended.set()


def test_a_login_that_times_out_is_no_wrong_password(
    history: History, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    history.settings.mail_from = history.settings.mail_to = "boss@example.com"
    history.add_run()
    with serve_mail(certificate, "right", login_delay_seconds=2) as box:
        history.settings.smtp_url = SecretStr(f"smtp://dana:right@127.0.0.1:{box.port}?timeout=0.5")
        with pytest.raises(DeliveryFailed, match=r"did not respond within 0\.5 s") as caught:
            deliver()
    assert "password" not in str(caught.value)


def test_a_server_without_tls_gets_nothing_unless_that_is_allowed(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{mailbox.port}")
    history.add_run()
    with pytest.raises(DeliveryFailed, match="no STARTTLS"):
        deliver()
    assert mailbox.mails == []


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "smtp://host:port", "smtp://u:p@host?starttls=off", "smtp://host?timeout=soon"])
def test_a_wrong_address_of_the_server_is_refused_without_telling_it(
    history: History, mailbox: Mailbox, deliver: Deliver, url: str
) -> None:
    history.settings.smtp_url = SecretStr(url)
    history.add_run()
    with pytest.raises(ConfigurationError, match="JOBRECON_SMTP_URL") as caught:
        deliver()
    assert "u:p" not in str(caught.value)


def test_a_server_that_is_gone_can_be_tried_again(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    working = history.settings.smtp_url
    history.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=off")
    add_two_managers(history)
    with pytest.raises(DeliveryFailed, match="run again"):
        deliver()
    history.settings.smtp_url = working
    assert deliver().sent == ["dana-fox", "jo-ng", "index"]


def test_a_refused_mail_stops_no_other_and_goes_out_the_next_time(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    add_two_managers(history)
    mailbox.responses = ["", "451 try later"]
    first = deliver()
    assert first.sent == ["dana-fox", "index"]
    assert "451" in first.problems[0]
    assert deliver().sent == ["jo-ng"]


def test_a_wrong_recipient_stops_no_other(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.add_customer("Acme", "Dana Fox", "urn:1", email="not an address\nBcc: everybody@example.com")
    history.add_run()
    delivery = deliver()
    assert delivery.sent == ["index"]
    assert "account_manager_email" in delivery.problems[0]


def test_one_bad_address_among_several_stops_only_itself_and_is_named(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.settings.mail_to = '"Boss, The" <boss@example.com>, nonsense, other@example.com, a b@example.com'
    history.add_run()
    first = deliver()
    assert mailbox.envelopes == [("jobrecon@example.com", ["boss@example.com", "other@example.com"])]
    assert [address.display_name for address in mailbox.mails[0]["to"].addresses] == ["Boss, The", ""]
    assert first.sent == []
    assert ["nonsense" in first.problems[0], "a b@example.com" in first.problems[1]] == [True, True]
    assert "JOBRECON_MAIL_TO" in first.problems[0]
    assert len(deliver().problems) == 2
    assert len(mailbox.mails) == 1
    history.settings.mail_to = "boss@example.com, corrected@example.com, other@example.com"
    assert deliver().sent == ["index"]
    assert mailbox.envelopes[1:] == [("jobrecon@example.com", ["corrected@example.com"])]


def test_a_refused_recipient_stops_only_itself_and_is_tried_again(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.settings.mail_to = "boss@example.com, gone@example.com"
    mailbox.refused = {"gone@example.com"}
    history.add_run()
    delivery = deliver()
    assert delivery.sent == []
    assert "gone@example.com (550)" in delivery.problems[0]
    assert "gone@example.com" in deliver().problems[0]
    mailbox.refused = set()
    assert deliver().sent == ["index"]
    assert deliver().known == ["index"]
    assert [recipients for _, recipients in mailbox.envelopes] == [["boss@example.com"], ["gone@example.com"]]


def test_a_mail_whose_every_recipient_is_refused_is_not_sent(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    mailbox.refused = {"jo@example.com"}
    add_two_managers(history)
    delivery = deliver()
    assert delivery.sent == ["dana-fox", "index"]
    assert "jo@example.com (550)" in delivery.problems[0]
    mailbox.refused = set()
    assert deliver().sent == ["jo-ng"]


def test_the_envelope_names_the_address_of_the_sender_alone(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.settings.mail_from = "Job reports <reports@münchen.example>"
    history.settings.mail_to = "Chef <chef@köln.example>"
    history.add_run()
    assert deliver().sent == ["index"]
    assert mailbox.envelopes == [("reports@xn--mnchen-3ya.example", ["chef@xn--kln-sna.example"])]
    assert mailbox.mails[0]["from"].addresses[0].display_name == "Job reports"
    assert mailbox.mails[0]["message-id"].endswith("@xn--mnchen-3ya.example>")


@pytest.mark.parametrize("sender", ["nobody", "a@b@", "x y@example.com", "a@b\nBcc: c@d"])
def test_a_sender_that_is_no_address_is_a_wrong_configuration(history: History, mailbox: Mailbox, deliver: Deliver, sender: str) -> None:
    history.settings.mail_from = sender
    history.add_run()
    with pytest.raises(ConfigurationError, match="JOBRECON_MAIL_FROM"):
        deliver()


def test_headers_that_make_a_thread_are_not_folded(history: History, mailbox: Mailbox, deliver: Deliver) -> None:
    history.settings.mail_from = f"reports@{'long.' * 30}example.com"
    history.add_run()
    deliver()
    head = mailbox.contents[0].partition(b"\r\n\r\n")[0].decode()
    for name in ("Message-ID", "In-Reply-To", "References"):
        (line,) = (line for line in head.split("\r\n") if line.startswith(f"{name}: "))
        assert line.endswith("example.com>")


def test_an_incomplete_report_is_sent_once_as_such_and_once_more_when_complete(
    history: History, mailbox: Mailbox, deliver: Deliver, chat: Chat
) -> None:
    history.add_job("job-1")
    history.add_run(state="INCOMPLETE", incomplete_reasons="the inbox could not be read")
    assert deliver().sent == ["index", "chat"]
    assert deliver().known == ["index", "chat"]
    history.add_run(NOW + dt.timedelta(seconds=1))
    assert deliver().sent == ["index", "chat"]
    assert deliver().known == ["index", "chat"]
    history.add_run(NOW + dt.timedelta(seconds=2), state="INCOMPLETE", incomplete_reasons="the inbox could not be read")
    assert deliver().known == ["index", "chat"]
    assert ["INCOMPLETE" in mail["subject"] for mail in mailbox.mails] == [True, False]
    assert len({mail["message-id"] for mail in mailbox.mails}) == 2
    assert ["INCOMPLETE" in message["message"] for message in chat.messages] == [True, False]


def test_a_follow_up_sends_only_what_completes_an_incomplete_message(
    history: History, mailbox: Mailbox, report: Callable[..., ReportResult], chat: Chat
) -> None:
    def follow_up() -> list[str]:
        return deliver_report(history.settings, report(), NOW, follow_up=True).sent

    history.add_job("job-1")
    history.add_run()
    assert follow_up() == [], "the day's first message is not its business"
    history.add_run(NOW + dt.timedelta(seconds=1), state="INCOMPLETE", incomplete_reasons="the inbox could not be read")
    assert follow_up() == []
    assert deliver_report(history.settings, report(), NOW).sent == ["index", "chat"]
    assert follow_up() == []
    history.add_run(NOW + dt.timedelta(seconds=2))
    assert follow_up() == ["index", "chat"]
    assert follow_up() == []
    assert ["INCOMPLETE" in mail["subject"] for mail in mailbox.mails] == [True, False]


def test_everything_can_be_sent_again(history: History, mailbox: Mailbox, report: Callable[..., ReportResult], chat: Chat) -> None:
    add_two_managers(history)
    result = report()
    deliver_report(history.settings, result, NOW)
    assert deliver_report(history.settings, result, NOW, resend=True).sent == ["dana-fox", "jo-ng", "index", "chat"]
    assert (len(mailbox.mails), len(chat.messages)) == (6, 2)


def test_without_a_server_the_mails_lie_beside_the_report(history: History, report: Callable[..., ReportResult]) -> None:
    add_two_managers(history)
    result = report()
    delivery = deliver_report(history.settings, result, NOW)
    assert [path.relative_to(result.folder).as_posix() for path in delivery.kept] == ["mail/dana-fox.eml", "mail/jo-ng.eml"]
    assert b"X-Unsent" not in delivery.kept[0].read_bytes()
    assert report().folder.joinpath("mail", "jo-ng.eml").exists()


KILLED = """
import os, sys
from jobrecon.delivery import smtp
from tests.delivery import deliver_once

send = smtp.SmtpSession.send
def send_and_die(self, message, recipients):
    refused = send(self, message, recipients)
    deliver_once.sent += 1
    if deliver_once.sent == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return refused
smtp.SmtpSession.send = send_and_die
deliver_once.main(sys.argv[1])
"""


@pytest.mark.parametrize("nth", [1, 2])
def test_a_process_killed_between_two_mails_makes_none_go_out_twice(history: History, mailbox: Mailbox, deliver: Deliver, nth: int) -> None:
    add_two_managers(history)
    history.publish()
    settings = history.settings
    environment = os.environ | {
        "JOBRECON_HOME": str(settings.home),
        "JOBRECON_SMTP_URL": settings.smtp_url.get_secret_value(),
        "JOBRECON_MAIL_FROM": settings.mail_from,
        "JOBRECON_MAIL_TO": settings.mail_to,
    }
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", KILLED, NOW.isoformat(), str(nth)], cwd=root, env=environment, check=False, timeout=90)
    assert done.returncode == -9
    assert len(mailbox.mails) == nth
    following = deliver()
    assert sorted(mailbox.recipients) == ["boss@example.com", "dana@example.com", "jo@example.com"]
    # The one in flight: it had arrived, but nobody was left to note it.
    assert len(following.problems) == 1
    assert "not sent again" in following.problems[0]
    assert len(following.sent) == 3 - nth


def test_a_message_is_taken_by_one_of_many(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    assert [outbox.acquire("index"), outbox.acquire("index")] == [SendState.ACQUIRED, SendState.UNKNOWN]
    outbox.mark_sent("index")
    assert outbox.acquire("index") == SendState.SENT
    assert json.loads((tmp_path / "index.json").read_text())["state"] == "sent"
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
