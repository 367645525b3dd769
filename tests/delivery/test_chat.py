"""The message in the chat: what it says in each kind of chat, that it is sent once, that its address stays secret."""

import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jobrecon.errors import ConfigurationError
from tests.delivery.conftest import Chat, Deliver, History, add_two_managers
from tests.delivery.mail_server import make_certificate

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
SLACK_PARTS = ("T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ")
WORKFLOW = "643e69f83c8944438d68119179a10a64"
TEAMS = f"https://prod-1.westeurope.logic.azure.com:443/workflows/{WORKFLOW}/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu"


@contextmanager
def serve_chats(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """A proxy that is itself every host requested: what was sent to Slack and Teams over TLS, with the address."""
    received: list[tuple[str, dict[str, Any]]] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = make_certificate(folder / "chats.pem", "hooks.slack.com", "prod-1.westeurope.logic.azure.com")
    context.load_cert_chain(certificate)

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as tunnel:
                Proxy(tunnel, self.client_address, self.server)
            self.close_connection = True

        def do_POST(self) -> None:
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield received
        server.shutdown()


def test_a_chat_gets_the_verdict_and_the_link_once(history: History, deliver: Deliver, chat: Chat) -> None:
    history.settings.report_url = "https://reports.example.com"
    add_two_managers(history)
    assert deliver().sent == ["chat"]
    assert deliver().known == ["chat"]
    [message] = chat.messages
    assert message["title"] == "Jobs on LinkedIn, 2026-11-20"
    assert "2 jobs need you" in message["message"]
    assert message["message"].endswith("https://reports.example.com/2026-11-20/index.html")


def test_slack_gets_plain_text_blocks(history: History, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_two_managers(history)
    history.add_finding(reason="<!channel> & <https://example.com|click>")
    history.settings.chat_url = SecretStr(SLACK)
    with serve_chats(tmp_path, monkeypatch) as received:
        assert deliver().sent == ["chat"]
    [(path, message)] = received
    assert path.endswith(SLACK.removeprefix("https://hooks.slack.com"))
    header, section, *_ = message["attachments"][0]["blocks"]
    assert header["text"]["text"] == "Jobs on LinkedIn, 2026-11-20"
    assert section["text"]["type"] == "plain_text"
    assert section["text"]["text"].startswith("3 jobs need you")
    assert "<" not in section["text"]["text"]


def test_teams_gets_a_card_without_markup_of_strangers(
    history: History, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.add_run(state="INCOMPLETE", incomplete_reasons="[a](https://example.com) could not be read <at>all</at>")
    history.settings.chat_url = SecretStr(TEAMS)
    with serve_chats(tmp_path, monkeypatch) as received:
        assert deliver().sent == ["chat"]
    [(path, message)] = received
    assert f"/workflows/{WORKFLOW}/" in path
    assert "sig=KODuebWbDGYFr0z0eu" in path
    text = json.dumps(message["attachments"][0]["content"]["body"], ensure_ascii=False)
    assert "INCOMPLETE: " in text
    assert "[a](" not in text
    assert "<at>" not in text
    assert "entities" not in message["attachments"][0]["content"].get("msteams", {})


def test_a_chat_that_refuses_is_tried_again_the_next_time(history: History, deliver: Deliver, chat: Chat) -> None:
    history.add_run()
    chat.status = 500
    assert "HTTP 500" in deliver().problems[0]
    chat.status = 200
    assert deliver().sent == ["chat"]


def test_a_chat_that_cannot_be_reached_is_tried_again_the_next_time(history: History, deliver: Deliver, chat: Chat) -> None:
    history.add_run()
    working = history.settings.chat_url
    for address in ("json://127.0.0.1:1/hook", "json://nowhere.invalid/hook"):
        history.settings.chat_url = SecretStr(address)
        assert "cannot be reached" in deliver().problems[0]
    history.settings.chat_url = working
    assert deliver().sent == ["chat"]


def test_a_chat_that_breaks_off_may_have_the_message_and_gets_it_once(history: History, deliver: Deliver) -> None:
    history.add_run()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take_and_close() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)

        threading.Thread(target=take_and_close, daemon=True).start()
        history.settings.chat_url = SecretStr(f"json://127.0.0.1:{listener.getsockname()[1]}/hook")
        assert "broke the connection" in deliver().problems[0]
    assert "not sent again" in deliver().problems[0]


@pytest.mark.parametrize("address", ["https://example.com/secret-path", "secret-path", "slack+https://example.com/secret-path"])
def test_an_address_of_no_chat_is_refused_without_printing_it(history: History, deliver: Deliver, address: str) -> None:
    history.settings.chat_url = SecretStr(address)
    history.add_run()
    with pytest.raises(ConfigurationError, match="JOBRECON_CHAT_URL") as caught:
        deliver()
    assert "secret-path" not in str(caught.value)


def test_the_address_of_the_chat_is_in_no_log(
    history: History, deliver: Deliver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    history.add_run()
    history.settings.chat_url = SecretStr(SLACK)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    failed = deliver()
    with serve_chats(tmp_path, monkeypatch):
        deliver()
    history.settings.chat_url = SecretStr(f"hunter2://{SLACK_PARTS[1]}")
    with pytest.raises(ConfigurationError):
        deliver()
    assert not [part for part in SLACK_PARTS if part in caplog.text + str(failed.problems)]


def test_a_chat_message_of_a_bad_day_stays_within_the_limits(history: History, deliver: Deliver, chat: Chat) -> None:
    for number in range(40):
        history.add_finding(reason=f"{number} <!channel> {'x' * 5_000}")
    history.add_run(state="INCOMPLETE", incomplete_reasons="\n".join(f"<@U1> {'y' * 5_000}{n}" for n in range(30)))
    deliver()
    [message] = chat.messages
    assert 1_000 < len(message["message"]) <= 3_000
    assert len(json.dumps(message)) < 28_000
