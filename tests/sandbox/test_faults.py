"""Each injected fault occurs, and bad input never breaks the sandbox."""

import json
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import ACME, Partner, posting


def test_every_rate_does_what_its_name_says(shared_partner: Partner) -> None:
    urns = shared_partner.submit_many(10, prefix="rate")

    def get_with(**settings: Any) -> httpx.Response:
        shared_partner.inject_faults(**settings)
        response = shared_partner.get_tasks(urns)
        shared_partner.inject_faults(**dict.fromkeys(settings, 0))
        return response

    assert get_with(error_5xx_rate=1).status_code in (500, 502, 503, 504)
    assert get_with(rate_429=1).status_code == 429
    with pytest.raises(json.JSONDecodeError):
        get_with(truncated_json_rate=1).json()
    wrong = get_with(wrong_shape_rate=1).json()
    assert not (isinstance(wrong, dict) and isinstance(wrong.get("results"), dict) and set(urns) <= wrong["results"].keys())
    partly = get_with(per_id_error_rate=0.5).json()
    assert 0 < len(partly["results"]) < 10
    assert get_with(latency_seconds=0.2).elapsed.total_seconds() >= 0.2
    assert shared_partner.get_tasks(urns[:1]).json()["results"].keys() == {urns[0]}


def test_a_dropped_connection_ends_without_a_response_but_the_call_counts(partner: Partner) -> None:
    urn = partner.submit("job-1")
    partner.inject_faults(dropped_connection_rate=1)
    with pytest.raises(httpx.TransportError):
        partner.get_tasks([urn])
    with pytest.raises(httpx.TransportError):
        partner.tunnel(f"ids={urn}")
    partner.inject_faults(dropped_connection_rate=0)
    assert partner.get_tasks([urn]).status_code == 200
    assert partner.state()["calls_today"] == 3


def test_a_response_may_carry_unrequested_keys(partner: Partner) -> None:
    urns = partner.submit_many(5)
    partner.inject_faults(unrequested_key_rate=1)
    known = partner.get_tasks(urns[:2]).json()["results"].keys() - set(urns[:2])
    unknown = partner.get_tasks(urns).json()["results"].keys() - set(urns)
    assert len(known) == 1
    assert known <= set(urns)
    assert len(unknown) == 1


def test_keys_may_come_percent_encoded(shared_partner: Partner) -> None:
    urn = shared_partner.submit("job-1")
    shared_partner.inject_faults(percent_encode_keys=True)
    assert list(shared_partner.get_tasks([urn]).json()["results"]) == [urn.replace(":", "%3A")]
    shared_partner.inject_faults(percent_encode_keys=False)


def test_an_application_can_be_forbidden(partner: Partner) -> None:
    urn = partner.submit("job-1")
    partner.inject_faults(forbidden_applications=[ACME])
    assert partner.get_tasks([urn]).status_code == 403


@pytest.mark.parametrize(
    "settings",
    [
        {"company_details": "any"},
        {"forbidden_resources": "all"},
        {"nonsense": 1},
        {"rate_429": 2},
        {"rate_429": "much"},
        {"latency_seconds": -1},
        {"percent_encode_keys": 1},
        {"late_rate": True},
        [],
    ],
)
def test_invalid_settings_are_refused_and_change_nothing(shared_partner: Partner, settings: object) -> None:
    assert shared_partner.client.post("/control/faults", json=settings).status_code == 400
    assert shared_partner.world.faults.rate_429 == 0


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/v2/simpleJobPostings", b"{"),
        ("POST", "/v2/simpleJobPostings", b'{"elements": 1}'),
        ("POST", "/v2/simpleJobPostings", b"[]"),
        ("POST", "/v2/simpleJobPostings", b"\xff"),
        ("GET", "/v2/simpleJobPostings", b""),
        ("GET", "/v2/simpleJobPostingTasks", b""),
        ("GET", "/v2/simpleJobPostingTasks?ids", b""),
        ("POST", "/v2/simpleJobPostingTasks", b"ids=urn:li:simpleJobPostingTask:1"),
        ("PUT", "/v2/simpleJobPostingTasks", b""),
        ("POST", "/oauth/v2/accessToken", b"\xff\xfe"),
        ("POST", "/control/clock", b"{}"),
        ("POST", "/control/clock", b'{"advance_seconds": -1}'),
        ("POST", "/control/clock", b'{"advance_seconds": 1e400}'),
        ("POST", "/control/clock", b'{"advance_seconds": "1"}'),
        ("POST", "/control/clock", b'{"now": "2025-05-05T09:00:00"}'),
        ("POST", "/control/clock", b'{"now": "2020-05-05T09:00:00+00:00"}'),
        ("POST", "/control/clock", b'{"now": "0001-01-01T00:00:00+14:00"}'),
        ("POST", "/control/clock", b'{"now": "9999-12-31T23:59:59-14:00"}'),
        ("POST", "/control/clock", b"nonsense"),
        ("POST", "/control/webhook", b'{"webhook_url": 1}'),
        ("GET", "/control/tasks?application=nobody", b""),
        ("GET", "/nowhere", b""),
    ],
)
def test_bad_input_is_refused_with_a_reason(shared_partner: Partner, method: str, path: str, content: bytes) -> None:
    headers = shared_partner.headers() | {"X-Restli-Method": "batch_create"}
    response = shared_partner.client.request(method, path, content=content, headers=headers)
    assert 400 <= response.status_code < 500
    assert response.json().get("message") or response.json().get("error")


def test_a_body_that_is_too_large_is_refused_in_the_form_of_its_endpoint(shared_partner: Partner) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = shared_partner.client.post("/oauth/v2/accessToken", content=b"a" * 70_000, headers=headers)
    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize(
    "element",
    [{"jobPostingOperationType": []}, {"externalJobPostingId": 7}, {"alternateLocations": [1]}, {"title": []}, {"location": {}}, None, 7],
)
def test_an_invalid_posting_is_refused_alone(shared_partner: Partner, element: Any) -> None:
    whole = posting("job-1")
    bad = whole | {"externalJobPostingId": "job-2"} | element if isinstance(element, dict) else element
    good, refused = shared_partner.post([whole, bad]).json()["elements"]
    assert (good["status"], refused["status"]) == (202, 422)
