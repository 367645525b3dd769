"""Mails through a real SMTP server, parsed back: what they say, and that each goes out once."""

import datetime as dt
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pydantic import SecretStr

from jobrecon.delivery.deliver import deliver_report
from jobrecon.delivery.outbox import Claim, Outbox
from jobrecon.errors import ConfigurationError, DeliveryFailed
from tests.reports.conftest import NOW
from tests.reports.mail_server import make_certificate, serve_mail

DAY = dt.timedelta(days=1)


@pytest.fixture
def mailbox(history):
    with serve_mail() as box:
        history.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{box.port}?starttls=off")
        history.settings.mail_from = "jobrecon@example.com"
        history.settings.mail_to = "boss@example.com"
        yield box


@pytest.fixture
def deliver(history, report):
    """Write the report and deliver it."""

    def write_and_deliver(**options):
        return deliver_report(history.settings, report(**options), NOW)

    return write_and_deliver


def add_two_managers(history):
    history.add_customer("Acme", "Dana Fox", "urn:1", email="dana@example.com")
    history.add_customer("Beta", "Jo Ng", "urn:2", email="jo@example.com")
    history.add_customer("Gamma", "Nobody Written", "urn:3")
    history.add_finding(reason="Acme's trouble")
    history.add_finding(reason="Beta's trouble", account_manager="Jo Ng", customer="Beta")
    history.add_run()


def read_parts(mail):
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content(), next(mail.iter_attachments())


def test_each_account_manager_and_the_one_for_all_get_a_mail(history, mailbox, deliver):
    add_two_managers(history)
    delivery = deliver()
    assert delivery.sent == ["dana-fox", "jo-ng", "index"]
    assert mailbox.readers == ["dana@example.com", "jo@example.com", "boss@example.com"]
    for mail, own, foreign in zip(mailbox.mails, ["Acme's", "Beta's", "Acme's"], ["Beta's", "Acme's", "Gamma's"], strict=True):
        text, html, attachment = read_parts(mail)
        assert own in text
        assert foreign not in text
        assert own.replace("'", "&#39;") in html or own in html
        assert attachment.get_filename() == "findings-2026-11-20.xlsx"
        sheets = load_workbook(BytesIO(attachment.get_content()))
        assert sheets.sheetnames == ["Do today", "All open", "Fixed", "Trend"]
        assert sheets["All open"].max_row == (3 if mail["to"] == "boss@example.com" else 2)


def test_the_subject_is_the_verdict(history, mailbox, deliver):
    add_two_managers(history)
    deliver()
    assert [mail["subject"] for mail in mailbox.mails] == [
        "1 job needs you, new since yesterday",
        "1 job needs you, new since yesterday",
        "2 jobs need you, all of them new since yesterday",
    ]


def test_all_clear_is_said_when_everything_was_seen(history, mailbox, deliver):
    history.add_job("job-1")
    history.add_run()
    deliver()
    assert mailbox.mails[0]["subject"] == "All clear: nothing is wrong with the one job"


def test_an_incomplete_day_says_so_before_anything_else(history, mailbox, deliver):
    history.add_job("job-1")
    history.add_run(state="INCOMPLETE", incomplete_reasons="the inbox could not be read")
    deliver()
    [mail] = mailbox.mails
    assert mail["subject"] == "INCOMPLETE: No trouble is known, but not everything was looked at"
    text, html, _ = read_parts(mail)
    for body in (text, html):
        assert "The inbox could not be read." in body
        assert "All clear" not in body


def test_mails_of_one_reader_make_one_thread(history, mailbox, deliver):
    history.add_run(NOW - DAY)
    history.add_run()
    deliver(date=(NOW - DAY).date())
    deliver()
    first, second = mailbox.mails
    assert first["message-id"] != second["message-id"]
    assert second["in-reply-to"] == first["message-id"]
    assert second["references"].split()[0] == first["references"].split()[0]
    assert first["message-id"].endswith("@example.com>")


def test_a_mail_links_to_the_report_where_that_is_served(history, mailbox, deliver):
    history.settings.report_url = "https://reports.example.com/jobs/"
    add_two_managers(history)
    deliver()
    text, html, _ = read_parts(mailbox.mails[0])
    assert "https://reports.example.com/jobs/2026-11-20/dana-fox.html" in text
    assert 'href="https://reports.example.com/jobs/2026-11-20/dana-fox.html"' in html


def test_a_mail_is_sent_once_however_often_its_report_is_made(history, mailbox, deliver):
    add_two_managers(history)
    deliver()
    again = deliver()
    assert again.sent == []
    assert again.known == ["dana-fox", "jo-ng", "index"]
    assert len(mailbox.mails) == 3


def test_html_stays_below_80_kb_and_holds_only_what_mail_programs_show(history, mailbox, deliver):
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


def test_a_server_with_tls_and_a_login_is_used_with_both(history, mailbox, deliver, tmp_path, monkeypatch):
    certificate = make_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve_mail(certificate, "p@ss word") as box:
        history.settings.smtp_url = SecretStr(f"smtp://dana:p%40ss%20word@127.0.0.1:{box.port}")
        history.add_run()
        assert deliver().sent == ["index"]
    assert box.logins == [("dana", "p@ss word")]


def test_a_wrong_password_is_explained_without_it(history, mailbox, deliver, tmp_path, monkeypatch):
    certificate = make_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    history.add_run()
    with serve_mail(certificate, "right") as box:
        history.settings.smtp_url = SecretStr(f"smtp://dana:wrong-word@127.0.0.1:{box.port}")
        with pytest.raises(DeliveryFailed, match="refused user or password") as caught:
            deliver()
    assert "wrong-word" not in str(caught.value)
    assert "wrong-word" not in repr(history.settings)


def test_a_server_without_tls_gets_nothing_unless_that_is_allowed(history, mailbox, deliver):
    history.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{mailbox.port}")
    history.add_run()
    with pytest.raises(DeliveryFailed, match="no STARTTLS"):
        deliver()
    assert mailbox.mails == []


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "smtp://host:port", "smtp://u:p@host?starttls=off"])
def test_a_wrong_address_of_the_server_is_refused_without_telling_it(history, mailbox, deliver, url):
    history.settings.smtp_url = SecretStr(url)
    history.add_run()
    with pytest.raises(ConfigurationError, match="JOBRECON_SMTP_URL") as caught:
        deliver()
    assert "u:p" not in str(caught.value)


def test_a_server_that_is_gone_can_be_tried_again(history, mailbox, deliver):
    working = history.settings.smtp_url
    history.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=off")
    add_two_managers(history)
    with pytest.raises(DeliveryFailed, match="run again"):
        deliver()
    history.settings.smtp_url = working
    assert deliver().sent == ["dana-fox", "jo-ng", "index"]


def test_a_refused_mail_stops_no_other_and_goes_out_the_next_time(history, mailbox, deliver):
    add_two_managers(history)
    mailbox.answers = ["", "451 try later"]
    first = deliver()
    assert first.sent == ["dana-fox", "index"]
    assert "451" in first.problems[0]
    assert deliver().sent == ["jo-ng"]


def test_a_wrong_recipient_stops_no_other(history, mailbox, deliver):
    history.add_customer("Acme", "Dana Fox", "urn:1", email="not an address\nBcc: everybody@example.com")
    history.add_run()
    delivery = deliver()
    assert delivery.sent == ["index"]
    assert "account_manager_email" in delivery.problems[0]


def test_without_a_server_the_mails_lie_beside_the_report(history, report):
    add_two_managers(history)
    result = report()
    delivery = deliver_report(history.settings, result, NOW)
    assert [path.relative_to(result.folder).as_posix() for path in delivery.kept] == ["mail/dana-fox.eml", "mail/jo-ng.eml"]
    assert b"X-Unsent" not in delivery.kept[0].read_bytes()
    assert report().folder.joinpath("mail", "jo-ng.eml").exists()


KILLED = """
import os, sys
from jobrecon.delivery import smtp as post
from tests.reports import deliver_once

send = post.Post.send
def send_and_die(self, message):
    send(self, message)
    deliver_once.sent += 1
    if deliver_once.sent == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
post.Post.send = send_and_die
deliver_once.main(sys.argv[1])
"""


@pytest.mark.parametrize("nth", [1, 2])
def test_a_process_killed_between_two_mails_makes_none_go_out_twice(history, mailbox, deliver, nth):
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
    assert sorted(mailbox.readers) == ["boss@example.com", "dana@example.com", "jo@example.com"]
    # The one in flight: it had arrived, but nobody was left to note it.
    assert len(following.problems) == 1
    assert "not sent again" in following.problems[0]
    assert len(following.sent) == 3 - nth


def test_a_message_is_taken_by_one_of_many(tmp_path):
    outbox = Outbox(tmp_path)
    assert [outbox.claim("index"), outbox.claim("index")] == [Claim.OURS, Claim.DOUBTFUL]
    outbox.confirm("index")
    assert outbox.claim("index") == Claim.SENT
    assert json.loads((tmp_path / "index.json").read_text())["state"] == "sent"
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]


def test_a_chat_gets_the_verdict_and_the_link_once(history, deliver, chat):
    history.settings.report_url = "https://reports.example.com"
    add_two_managers(history)
    assert deliver().sent == ["chat"]
    assert deliver().known == ["chat"]
    [message] = chat.messages
    assert "2 jobs need you" in message["text"]
    assert message["blocks"][-1]["elements"][0]["url"] == "https://reports.example.com/2026-11-20/index.html"


def test_teams_gets_a_card(history, deliver, chat):
    history.settings.chat_url = SecretStr("teams" + history.settings.chat_url.get_secret_value().removeprefix("slack"))
    history.add_run(state="INCOMPLETE", incomplete_reasons="[a](https://example.com) could not be read")
    deliver()
    card = chat.messages[0]["attachments"][0]["content"]
    assert card["body"][1]["text"].startswith("INCOMPLETE: ")
    assert "[a](" not in json.dumps(card)


def test_a_chat_that_refuses_is_tried_again_the_next_time(history, deliver, chat):
    history.add_run()
    chat.status = 500
    assert "HTTP 500" in deliver().problems[0]
    chat.status = 200
    assert deliver().sent == ["chat"]


def test_an_address_of_neither_chat_is_refused(history, deliver):
    history.settings.chat_url = SecretStr("https://example.com/secret-path")
    history.add_run()
    with pytest.raises(ConfigurationError, match=r"slack\+ or teams\+") as caught:
        deliver()
    assert "secret-path" not in str(caught.value)


def test_a_chat_message_of_a_bad_day_stays_within_the_limits(history, deliver, chat):
    for number in range(40):
        history.add_finding(reason=f"{number} <!channel> {'x' * 5_000}")
    history.add_run(state="INCOMPLETE", incomplete_reasons="\n".join(f"<@U1> {'y' * 5_000}{n}" for n in range(30)))
    deliver()
    [message] = chat.messages
    assert len(message["text"]) <= 3_000
    assert all(len(block["text"]["text"]) <= 3_000 for block in message["blocks"] if "text" in block)
    assert all(block["text"]["type"] == "plain_text" for block in message["blocks"] if "text" in block)
    assert len(json.dumps(message)) < 28_000
