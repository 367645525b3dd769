"""Which secrets are tried for a body, and which responses a challenge."""

import pytest
from pydantic import SecretStr

from jobrecon.applications import Application, Applications
from jobrecon.webhook.signature import load_keyring
from tests.webhook.conftest import ACME, BETA, BROKEN, SECRETS, configured

UNKNOWN = "urn:li:developerApplication:9"
EVERYTHING = ["parent#1", f"{ACME}#1", f"{ACME}#2", f"{BETA}#1"]

CANDIDATES = [
    # named in the body, tried in this order
    (ACME, [f"{ACME}#1", f"{ACME}#2", "parent#1"]),
    (BETA, [f"{BETA}#1", "parent#1"]),
    (BROKEN, ["parent#1"]),
    (UNKNOWN, EVERYTHING),
    (None, EVERYTHING),
    ("", EVERYTHING),
]


@pytest.mark.parametrize(("named", "labels"), CANDIDATES)
def test_the_named_applications_secrets_are_tried_and_then_the_parents(named: str | None, labels: list[str]) -> None:
    assert [label for label, _secret in load_keyring(configured()).find_candidates(named)] == labels


def test_an_unknown_name_has_every_secret_tried_and_a_known_one_only_its_own() -> None:
    many = Applications(
        [Application(f"urn:{number}", "client", ["env:BETA"], "", environment=SECRETS) for number in range(500)], configured().parent
    )
    keyring = load_keyring(many)
    for named in (UNKNOWN, None, ""):
        assert [label for label, _ in keyring.find_candidates(named)] == ["parent#1"] + [f"urn:{number}#1" for number in range(500)]
    assert [label for label, _ in keyring.find_candidates("urn:499")] == ["urn:499#1", "parent#1"]


def test_a_secret_keeps_its_number_while_a_newer_one_cannot_be_read() -> None:
    keyring = load_keyring(Applications([Application(ACME, "client", ["env:NOT_SET", "env:BETA"], "", environment=SECRETS)]))
    assert [label for label, _secret in keyring.find_candidates(ACME)] == [f"{ACME}#2"]


def test_only_a_configured_application_without_any_secret_counts_as_missing() -> None:
    keyring = load_keyring(configured())
    assert [keyring.is_missing(urn) for urn in (BROKEN, ACME, UNKNOWN, "", None)] == [True, False, False, False, False]


CHALLENGED = [
    # applicationId, with parent, only configured, answered for, with
    (None, True, None, "", "PARENT"),
    ("", True, None, "", "PARENT"),
    ("1001", True, None, ACME, "ACME_NEW"),
    (" 1001 ", True, None, ACME, "ACME_NEW"),
    (BETA, True, None, BETA, "BETA"),
    ("1002", False, None, BETA, "BETA"),
    ("9", True, None, "", "PARENT"),
    ("1003", True, None, "", "PARENT"),
    (None, False, ACME, ACME, "ACME_NEW"),
    ("9", False, ACME, ACME, "ACME_NEW"),
]


@pytest.mark.parametrize(("application_id", "with_parent", "only", "urn", "secret"), CHALLENGED)
def test_a_challenge_is_answered_with_the_newest_secret(
    application_id: str | None, with_parent: bool, only: str | None, urn: str, secret: str
) -> None:
    keyring = load_keyring(configured(with_parent=with_parent, only=only))
    assert keyring.find_challenged(application_id) == (urn, SecretStr(SECRETS[secret]))


@pytest.mark.parametrize(("application_id", "only"), [(None, None), ("9", None), ("1003", None), ("1003", BROKEN), (None, "none")])
def test_a_challenge_is_not_answered_by_guessing_among_several_or_without_a_secret(application_id: str | None, only: str | None) -> None:
    assert load_keyring(configured(with_parent=False, only=only)).find_challenged(application_id) is None


def test_a_keyring_shows_no_secret() -> None:
    keyring = load_keyring(configured())
    assert not any(secret in repr(keyring) + repr(keyring.children) + repr(keyring.parent) for secret in SECRETS.values())
