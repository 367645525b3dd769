"""Secrets are removed by value from every text that leaves the process."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jobrecon import secrets
from jobrecon.applications import resolve_secret
from jobrecon.errors import InputError, LinkedInUnreachable
from jobrecon.secrets import MASK, find_path_secrets, find_secrets, redact, redact_logs, remember_secrets
from jobrecon.settings import Settings, load_settings

ADDRESSES = [
    # address, its secrets
    ("postgresql+psycopg://me:hush-hush@host/db", {"hush-hush"}),
    ("postgresql://me@host/db?password=hush-hush&sslmode=require&sslpassword=more-hush", {"hush-hush", "more-hush"}),
    ("postgresql://me:h%40sh@host/db", {"h%40sh", "h@sh"}),
    ("ducklake:postgres:dbname=lake user=me password=hush-hush host=db", {"hush-hush"}),
    ("ducklake:postgres:dbname=lake password='hush hush' host=db", {"hush hush"}),
    ("smtp://me:hush-hush@host:587?timeout=5", {"hush-hush"}),
    ("sqlite:////srv/var/landing.db", set()),
]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No secret of another test is known, and none of these afterwards."""
    monkeypatch.setattr(secrets, "_secrets", set())
    secrets._compile.cache_clear()
    yield
    secrets._compile.cache_clear()


@pytest.mark.parametrize(("address", "secrets"), ADDRESSES)
def test_the_passwords_of_an_address_are_found_wherever_they_stand(address: str, secrets: set[str]) -> None:
    assert set(find_secrets(address)) == secrets
    remember_secrets(*find_secrets(address))
    assert not [secret for secret in secrets if secret in redact(f"cannot connect to {address}: refused")]


def test_a_webhook_address_is_secret_as_a_whole_and_in_its_parts() -> None:
    address = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    remember_secrets(*find_path_secrets(address))
    assert redact(f"POST {address}") == f"POST {MASK}"
    assert redact("POST /services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ") == f"POST /services/{MASK}/{MASK}/{MASK}"


def test_a_secret_is_found_percent_encoded_too() -> None:
    remember_secrets("p@ss word/1")
    assert redact("p@ss word/1 p%40ss%20word%2F1 p%40ss+word%2F1") == f"{MASK} {MASK} {MASK}"


def test_a_short_secret_that_may_be_a_word_is_removed_only_where_it_is_a_value() -> None:
    remember_secrets("parent")
    assert redact("[parent] of me:parent@host?password=parent&x 'parent'") == f"[parent] of me:{MASK}@host?password={MASK}&x '{MASK}'"


def test_errors_and_logs_hold_no_secret_whoever_writes_them(caplog: pytest.LogCaptureFixture) -> None:
    early = InputError("the source says no to hush-hush-hush")
    assert resolve_secret("env:S", {"S": "hush-hush-hush"}).get_secret_value() == "hush-hush-hush"
    assert str(early) == f"the source says no to {MASK}"
    assert str(LinkedInUnreachable("hush-hush-hush", application_urn="u")) == MASK
    factory = logging.getLogRecordFactory()
    redact_logs()
    try:
        logging.getLogger("some.library").warning("GET %s", "https://host?token=hush-hush-hush")
    finally:
        logging.setLogRecordFactory(factory)
    assert caplog.messages == [f"GET https://host?token={MASK}"]


def test_the_settings_make_their_secrets_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBRECON_CLIENT_SECRET", "secret-of-client")
    monkeypatch.setenv("JOBRECON_LANDING_URL", "postgresql+psycopg://me@host/db?password=secret-of-landing")
    monkeypatch.setenv("JOBRECON_WAREHOUSE", "ducklake:postgres:dbname=lake password=secret-of-lake")
    monkeypatch.setenv("JOBRECON_TASK_SOURCE_URL", "postgresql://me:secret-of-source@host/db")
    monkeypatch.setenv("JOBRECON_SMTP_URL", "smtp://me:secret-of-mail@host")
    monkeypatch.setenv("JOBRECON_CHAT_URL", "jsons://host/Secret-Of-Chat-1")
    factory = logging.getLogRecordFactory()
    try:
        settings = load_settings()
    finally:
        logging.setLogRecordFactory(factory)
    assert isinstance(settings, Settings)
    shown = redact(" ".join(f"secret-of-{name}" for name in ("client", "landing", "lake", "source", "mail")) + " Secret-Of-Chat-1")
    assert shown == " ".join([MASK] * 6)


def test_a_traceback_of_another_library_holds_no_secret() -> None:
    program = (
        "from jobrecon.secrets import redact_logs, remember_secrets\n"
        "redact_logs(); remember_secrets('hush-hush-hush')\n"
        "raise RuntimeError('cannot attach dbname=lake password=' + '-'.join(['hush'] * 3))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert "RuntimeError: cannot attach dbname=lake password=***" in ended.stderr
    assert "hush-hush" not in ended.stderr
