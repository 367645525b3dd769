"""Tokens: OAuth 2 client credentials."""

import pytest

from tests.sandbox.conftest import ACME, Partner


def test_a_token_is_issued_with_its_lifetime_as_text(shared_partner: Partner) -> None:
    response = shared_partner.request_token()
    assert response.status_code == 200
    assert response.json()["expires_in"] == "1800"
    assert response.json()["access_token"].startswith("AQX")


def test_both_of_two_active_secrets_get_a_token(shared_partner: Partner) -> None:
    assert shared_partner.request_token(client_secret="acme-old").status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "78nobody"}, 401, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_an_invalid_token_request_gets_an_oauth_error(shared_partner: Partner, form: dict[str, str], status: int, error: str) -> None:
    response = shared_partner.request_token(**form)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]


def test_an_application_that_is_not_allowed_gets_no_token(shared_partner: Partner) -> None:
    shared_partner.inject_faults(denied_token_applications=[ACME])
    response = shared_partner.request_token()
    assert (response.status_code, response.json()["error"]) == (401, "access_denied")
    shared_partner.inject_faults(denied_token_applications=[])


def test_a_token_expires_after_thirty_minutes_of_sandbox_time(shared_partner: Partner) -> None:
    shared_partner.tokens.clear()
    urn = shared_partner.submit("job-1")
    shared_partner.advance(seconds=1799)
    assert shared_partner.get_tasks([urn]).status_code == 200
    shared_partner.advance(seconds=1)
    response = shared_partner.get_tasks([urn])
    assert response.status_code == 401
    assert response.json()["serviceErrorCode"] == 65602
    shared_partner.tokens.clear()
    assert response.json()["message"] == "The token used in the request has expired"


def test_an_unknown_token_is_refused_as_invalid(shared_partner: Partner) -> None:
    shared_partner.tokens[ACME] = "nonsense"
    response = shared_partner.get_tasks(["urn:li:simpleJobPostingTask:1"])
    shared_partner.tokens.clear()
    assert (response.status_code, response.json()["serviceErrorCode"]) == (401, 65600)
    assert response.json()["message"] == "Invalid access token"


def test_all_tokens_can_be_expired_at_once_and_new_ones_work(partner: Partner) -> None:
    urn = partner.submit("job-1")
    partner.inject_faults(expire_tokens_now=True)
    assert partner.get_tasks([urn]).json()["serviceErrorCode"] == 65602
    partner.tokens.clear()
    assert partner.get_tasks([urn]).status_code == 200
    assert partner.state()["tokens_issued"] == 2
