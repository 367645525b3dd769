"""Tokens: OAuth 2 client credentials."""

import pytest


def test_a_token_is_given_with_its_life_as_text(lasting_partner):
    answer = lasting_partner.request_token()
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == "1800"
    assert answer.json()["access_token"].startswith("AQX")


def test_both_of_two_active_secrets_get_a_token(lasting_partner):
    assert lasting_partner.request_token(client_secret="acme-old").status_code == 200


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
def test_what_is_wrong_with_a_token_request_is_told_in_oauth_words(lasting_partner, form, status, error):
    answer = lasting_partner.request_token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_an_application_that_is_not_allowed_gets_no_token(lasting_partner):
    lasting_partner.misbehave(denied_token_applications=["urn:li:developerApplication:1001"])
    answer = lasting_partner.request_token()
    assert (answer.status_code, answer.json()["error"]) == (401, "access_denied")
    lasting_partner.misbehave(denied_token_applications=[])


def test_a_token_ends_after_thirty_minutes_of_sandbox_time(lasting_partner):
    lasting_partner.tokens.clear()
    urn = lasting_partner.submit("job-1")
    lasting_partner.advance(seconds=1799)
    assert lasting_partner.get_tasks([urn]).status_code == 200
    lasting_partner.advance(seconds=1)
    answer = lasting_partner.get_tasks([urn])
    assert answer.status_code == 401
    assert answer.json()["serviceErrorCode"] == 65602
    lasting_partner.tokens.clear()
    assert answer.json()["message"] == "The token used in the request has expired"


def test_an_unknown_token_is_refused_as_invalid(lasting_partner):
    lasting_partner.tokens["urn:li:developerApplication:1001"] = "nonsense"
    answer = lasting_partner.get_tasks(["urn:li:simpleJobPostingTask:1"])
    lasting_partner.tokens.clear()
    assert (answer.status_code, answer.json()["serviceErrorCode"]) == (401, 65600)
    assert answer.json()["message"] == "Invalid access token"


def test_all_tokens_can_be_ended_at_once_and_new_ones_work(partner):
    urn = partner.submit("job-1")
    partner.misbehave(expire_tokens_now=True)
    assert partner.get_tasks([urn]).json()["serviceErrorCode"] == 65602
    partner.tokens.clear()
    assert partner.get_tasks([urn]).status_code == 200
    assert partner.state()["tokens_issued"] == 2
