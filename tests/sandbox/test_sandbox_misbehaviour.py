"""What can be made to go wrong does, and bad input never breaks the sandbox."""

import json

import httpx
import pytest

ACME = "urn:li:developerApplication:1001"


def test_every_rate_does_what_its_name_says(lasting_partner):
    urns = lasting_partner.submit_many(10, prefix="rate")

    def ask(**settings):
        lasting_partner.misbehave(**settings)
        answer = lasting_partner.get_tasks(urns)
        lasting_partner.misbehave(**dict.fromkeys(settings, 0))
        return answer

    assert ask(error_5xx_rate=1).status_code in (500, 502, 503, 504)
    assert ask(rate_429=1).status_code == 429
    with pytest.raises(json.JSONDecodeError):
        ask(cut_json_rate=1).json()
    misshapen = ask(wrong_shape_rate=1).json()
    assert not (isinstance(misshapen, dict) and isinstance(misshapen.get("results"), dict) and set(urns) <= misshapen["results"].keys())
    partly = ask(per_id_error_rate=0.5).json()
    assert 0 < len(partly["results"]) < 10
    assert ask(latency_seconds=0.2).elapsed.total_seconds() >= 0.2
    assert lasting_partner.get_tasks(urns[:1]).json()["results"].keys() == {urns[0]}


def test_a_dropped_connection_ends_without_an_answer_but_the_call_counts(partner):
    urn = partner.submit("job-1")
    partner.misbehave(dropped_connection_rate=1)
    with pytest.raises(httpx.TransportError):
        partner.get_tasks([urn])
    with pytest.raises(httpx.TransportError):
        partner.tunnel(f"ids={urn}")
    partner.misbehave(dropped_connection_rate=0)
    assert partner.get_tasks([urn]).status_code == 200
    assert partner.state()["calls_today"] == 3


def test_an_answer_may_carry_keys_nobody_asked_for(partner):
    urns = partner.submit_many(5)
    partner.misbehave(unasked_key_rate=1)
    known = partner.get_tasks(urns[:2]).json()["results"].keys() - set(urns[:2])
    unknown = partner.get_tasks(urns).json()["results"].keys() - set(urns)
    assert len(known) == 1
    assert known <= set(urns)
    assert len(unknown) == 1


def test_keys_may_come_percent_encoded(lasting_partner):
    urn = lasting_partner.submit("job-1")
    lasting_partner.misbehave(percent_encode_keys=True)
    assert list(lasting_partner.get_tasks([urn]).json()["results"]) == [urn.replace(":", "%3A")]
    lasting_partner.misbehave(percent_encode_keys=False)


def test_an_application_can_be_forbidden(partner):
    urn = partner.submit("job-1")
    partner.misbehave(forbidden_applications=[ACME])
    assert partner.get_tasks([urn]).status_code == 403


@pytest.mark.parametrize(
    "settings",
    [{"nonsense": 1}, {"rate_429": 2}, {"rate_429": "much"}, {"latency_seconds": -1}, {"percent_encode_keys": 1}, {"late_rate": True}, []],
)
def test_settings_that_make_no_sense_are_refused_and_change_nothing(lasting_partner, settings):
    assert lasting_partner.client.post("/control/misbehave", json=settings).status_code == 400
    assert lasting_partner.world.faults.rate_429 == 0


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
        ("POST", "/control/register", b'{"webhook_url": 1}'),
        ("GET", "/control/tasks?application=nobody", b""),
        ("GET", "/nowhere", b""),
    ],
)
def test_bad_input_is_refused_with_a_reason(lasting_partner, method, path, content):
    headers = lasting_partner.headers() | {"X-Restli-Method": "batch_create"}
    answer = lasting_partner.client.request(method, path, content=content, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json().get("message") or answer.json().get("error")


@pytest.mark.parametrize(
    "element",
    [{"jobPostingOperationType": []}, {"externalJobPostingId": 7}, {"alternateLocations": [1]}, {"title": []}, {"location": {}}, None, 7],
)
def test_a_bad_posting_is_refused_by_itself(lasting_partner, element):
    whole = {"externalJobPostingId": "job-1", "jobPostingOperationType": "CREATE"}
    bad = whole | element if isinstance(element, dict) else element
    good, refused = lasting_partner.post([whole, bad]).json()["elements"]
    assert (good["status"], refused["status"]) == (202, 422)
