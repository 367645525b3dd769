"""simpleJobPostings and simpleJobPostingTasks: operations on jobs and their outcomes."""

from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import ACME, BOLT, START, Partner, ServeSandbox, posting

NEVER_ISSUED = "urn:li:simpleJobPostingTask:00000000-0000-4000-8000-000000000000"


def padded(length: int) -> str:
    """A query with one id, exactly `length` bytes long."""
    return "ids=" + NEVER_ISSUED + "x" * (length - 4 - len(NEVER_ISSUED))


def test_every_element_gets_its_result_in_order(shared_partner: Partner) -> None:
    elements = [posting("job-1"), posting("job-2", "CREATED"), posting("job-3", title=None), "no object", posting("job-4", "UPGRADE")]
    response = shared_partner.post(elements)
    assert response.status_code == 200
    results = response.json()["elements"]
    assert [result["status"] for result in results] == [202, 422, 422, 422, 202]
    assert results[0]["id"].startswith("urn:li:simpleJobPostingTask:")
    assert results[0]["location"] == f"/simpleJobPostings/{quote(results[0]['id'], safe='')}"
    assert results[1]["error"] == {"message": 'ERROR :: /jobPostingOperationType :: "CREATED" is not an enum symbol', "status": 422}
    assert results[2]["error"]["message"] == "ERROR :: /title :: field is required but not found and has no default value"


@pytest.mark.parametrize("name", ["title", "description", "location", "listedAt", "companyApplyUrl", "externalJobPostingId"])
def test_each_mandatory_field_is_required(shared_partner: Partner, name: str) -> None:
    (result,) = shared_partner.post([{key: value for key, value in posting("job-1").items() if key != name}]).json()["elements"]
    assert result["error"]["message"] == f"ERROR :: /{name} :: field is required but not found and has no default value"


def test_a_job_may_occur_once_in_a_request_and_its_id_has_at_most_200_characters(shared_partner: Partner) -> None:
    elements = [posting("twice"), posting("twice"), posting("j" * 200), posting("j" * 201)]
    results = shared_partner.post(elements).json()["elements"]
    assert [result["status"] for result in results] == [202, 422, 202, 422]


def test_more_than_a_hundred_elements_are_refused_whole(partner: Partner) -> None:
    assert partner.post([posting(f"job-{number}") for number in range(101)]).status_code == 400
    assert partner.state()["tasks"] == {}


DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"description": "d" * 99}, "Job description is too short"),
        ({"description": "d" * 25_001}, "has an invalid job description"),
        ({"companyApplyUrl": "example.com"}, "Invalid Field: /companyApplyUrl"),
        ({"expireAt": DAY_MS}, "Invalid ExpirationDate"),
        ({"expireAt": 91 * DAY_MS, "listingType": "PREMIUM"}, "Invalid ExpirationDate"),
    ],
)
def test_content_that_linkedin_refuses_fails_the_task(partner: Partner, fields: dict[str, Any], message: str) -> None:
    fields = {name: value + int(START.timestamp() * 1000) if name == "expireAt" else value for name, value in fields.items()}
    urns = [partner.submit(f"job-{number}", **fields) for number in range(5)]
    partner.advance(days=3)
    settled = [result for result in partner.results(urns).values() if result["status"] != "IN_PROGRESS"]
    assert settled
    assert all(result["status"] == "FAILED" and message in result["errorMessage"] for result in settled)


@pytest.mark.parametrize("length", [100, 25_000])
def test_a_description_of_allowed_length_does_not_fail(partner: Partner, length: int) -> None:
    urns = [partner.submit(f"job-{number}", description="d" * length) for number in range(20)]
    partner.advance(days=3)
    assert any(result["status"] == "SUCCEEDED" for result in partner.results(urns).values())


def test_a_new_task_is_in_progress_and_most_settle_in_minutes_but_not_all(partner: Partner) -> None:
    urns = partner.submit_many(500)
    assert {result["status"] for result in partner.results(urns).values()} == {"IN_PROGRESS"}
    partner.advance(seconds=600)
    soon = Counter(result["status"] for result in partner.results(urns).values())
    assert 0.75 < 1 - soon["IN_PROGRESS"] / 500 < 0.92
    partner.advance(days=2)
    results = partner.results(urns)
    late = Counter(result["status"] for result in results.values())
    assert 0 < late["IN_PROGRESS"] < 30
    assert 15 < late["FAILED"] < 75
    assert 0 < late["PROCESSED"] < 30
    for result in results.values():
        assert ("urn:li:jobPosting:" in (result.get("jobPosting") or "")) or result["status"] != "SUCCEEDED"
        assert result.get("errorMessage") or result["status"] != "FAILED"


def test_the_same_seed_gives_the_same_results_and_another_seed_others(serve_sandbox: ServeSandbox) -> None:
    runs = []
    for seed in (7, 7, 8):
        partner = serve_sandbox(seed=seed)
        urns = partner.submit_many(50)
        partner.advance(seconds=900)
        runs.append(partner.results(urns))
    assert runs[0] == runs[1]
    assert runs[0].keys().isdisjoint(runs[2])


def test_raw_and_percent_encoded_ids_are_the_same(shared_partner: Partner) -> None:
    urns = shared_partner.submit_many(50)
    raw = shared_partner.get_tasks(urns).json()
    assert shared_partner.get_tasks([quote(urn, safe="") for urn in urns]).json() == raw
    assert shared_partner.get_tasks([urn.replace(":", "%3a") for urn in urns]).json() == raw
    assert raw["results"].keys() == set(urns)


def test_a_tunneled_query_gets_the_same_response_as_a_plain_one(shared_partner: Partner) -> None:
    urns = shared_partner.submit_many(20)
    query = "&".join(f"ids={urn}" for urn in urns)
    assert shared_partner.tunnel(query).json() == shared_partner.get_tasks(urns).json()


VERSIONS = [("", 400), ("2025-5", 400), ("202513", 400), ("202505", 200), ("202306", 200), ("202305", 426), ("202506", 426)]


@pytest.mark.parametrize(("version", "status"), VERSIONS)
def test_the_versioned_path_requires_a_version_of_the_last_two_years(serve_sandbox: ServeSandbox, version: str, status: int) -> None:
    partner = serve_sandbox()
    headers = partner.headers() | {"X-Restli-Method": "batch_create"} | ({"LinkedIn-Version": version} if version else {})
    created = partner.client.post("/rest/simpleJobPostings", json={"elements": [posting("job-1")]}, headers=headers)
    fetched = partner.client.get(f"/rest/simpleJobPostingTasks?ids={NEVER_ISSUED}", headers=headers)
    assert (created.status_code, fetched.status_code) == (status, status)
    assert status == 200 or fetched.json()["code"].endswith(("_VERSION", "VERSION_MISSING", "VERSION_INVALID"))


@pytest.mark.parametrize(("length", "status"), [(4096, 200), (4097, 414)])
def test_a_query_may_be_four_kilobytes_long_and_no_longer(shared_partner: Partner, length: int, status: int) -> None:
    assert shared_partner.client.get(f"/v2/simpleJobPostingTasks?{padded(length)}", headers=shared_partner.headers()).status_code == status
    assert shared_partner.tunnel(padded(length)).status_code == 200


def test_a_tunneled_query_may_be_long(shared_partner: Partner) -> None:
    assert shared_partner.tunnel("&".join(f"ids={NEVER_ISSUED}{n}" for n in range(1000))).status_code == 200


def test_one_task_can_be_requested_by_its_path(shared_partner: Partner) -> None:
    urn = shared_partner.submit("single")
    path = f"/v2/simpleJobPostingTasks/{quote(urn, safe='')}"
    response = shared_partner.client.get(path, headers=shared_partner.headers())
    assert response.json() == shared_partner.get_tasks([urn]).json()["results"][urn]
    absent = shared_partner.client.get(f"/v2/simpleJobPostingTasks/{NEVER_ISSUED}", headers=shared_partner.headers())
    assert (absent.status_code, absent.json()["status"]) == (404, 404)


def test_protocol_2_takes_its_ids_as_a_list(shared_partner: Partner) -> None:
    urns = shared_partner.submit_many(3)
    headers = shared_partner.headers() | {"X-RestLi-Protocol-Version": "2.0.0"}
    query = f"ids=List({','.join(quote(urn, safe='') for urn in urns)})"
    response = shared_partner.client.get(f"/v2/simpleJobPostingTasks?{query}", headers=headers)
    assert response.json() == shared_partner.get_tasks(urns).json()
    assert shared_partner.client.get(f"/v2/simpleJobPostingTasks?ids={urns[0]}", headers=headers).status_code == 400
    assert shared_partner.get_tasks([f"List({urns[0]})"]).status_code == 400


@pytest.mark.parametrize("bad", ["nonsense", "urn:li:simpleJobPostingTask:", "urn:li:jobPosting:1", "", "%zz", "%FF"])
def test_one_id_that_is_no_task_urn_fails_the_whole_batch(shared_partner: Partner, bad: str) -> None:
    urn = shared_partner.submit("job-1")
    response = shared_partner.get_tasks([urn, bad])
    assert response.status_code == 400
    assert response.json() == {"message": "Batch key parameter value is invalid", "status": 400}


def test_a_task_urn_need_not_hold_a_uuid(shared_partner: Partner) -> None:
    response = shared_partner.get_tasks(["urn:li:simpleJobPostingTask:anything"])
    assert response.json()["errors"]["urn:li:simpleJobPostingTask:anything"]["status"] == 404


def test_an_id_never_issued_and_that_of_another_application_are_not_found(shared_partner: Partner) -> None:
    ours, theirs = shared_partner.submit("job-1"), shared_partner.submit("job-1", application=BOLT)
    response = shared_partner.get_tasks([ours, theirs, NEVER_ISSUED]).json()
    assert list(response["results"]) == [ours]
    assert {urn: error["status"] for urn, error in response["errors"].items()} == {theirs: 404, NEVER_ISSUED: 404}
    assert list(shared_partner.get_tasks([theirs], BOLT).json()["results"]) == [theirs]


def test_a_task_is_not_found_after_thirty_days(shared_partner: Partner) -> None:
    urn = shared_partner.submit("job-1")
    shared_partner.advance(days=30)
    assert shared_partner.get_tasks([urn]).json()["errors"][urn]["status"] == 404


def test_other_locations_are_announced_by_the_settled_task_and_can_be_requested(shared_partner: Partner) -> None:
    locations = ["Bonn, Germany", "Lyon, France"]
    urns = [shared_partner.submit(f"locations-{n}", alternateLocations=locations) for n in range(10)]
    assert shared_partner.results(urns).keys() == set(urns)
    shared_partner.advance(days=3)
    settled = [urn for urn, result in shared_partner.results(urns).items() if result["status"] == "SUCCEEDED" and urn in urns]
    response = shared_partner.get_tasks([settled[0]]).json()["results"]
    announced = [urn for urn in response if urn != settled[0]]
    assert [response[urn]["location"] for urn in announced] == locations
    assert {response[urn]["externalJobPostingId"] for urn in announced} == {response[settled[0]]["externalJobPostingId"]}
    assert shared_partner.get_tasks(announced).json()["results"] == {urn: response[urn] for urn in announced}


def first_succeeded(partner: Partner) -> str:
    """The id of a job whose CREATE has succeeded."""
    urns = partner.submit_many(20, prefix="once")
    partner.advance(seconds=1200)
    number = next(n for n, urn in enumerate(urns) if partner.results([urn])[urn]["status"] == "SUCCEEDED")
    return f"once-{number}"


def settle(partner: Partner, urn: str) -> dict[str, Any]:
    partner.advance(days=3)
    return partner.results([urn])[urn]


@pytest.mark.parametrize("operation", ["UPDATE", "RENEW", "CLOSE"])
def test_what_does_not_exist_can_be_neither_updated_nor_renewed_nor_closed(shared_partner: Partner, operation: str) -> None:
    urns = shared_partner.submit_many(20, operation, prefix=operation)
    shared_partner.advance(days=3)
    settled = [result for result in shared_partner.results(urns).values() if result["status"] != "IN_PROGRESS"]
    assert len(settled) > 15
    for result in settled:
        assert result["status"] == "FAILED"
        assert "is not allowed for a non-existing job" in result["errorMessage"]


def test_a_second_create_fails_as_a_duplicate_until_the_job_is_closed(shared_partner: Partner) -> None:
    job = first_succeeded(shared_partner)
    again = settle(shared_partner, shared_partner.submit(job))
    assert again["status"] in ("FAILED", "IN_PROGRESS")
    texts = ("same partnerIdentifier already exists", "duplicate creation request", "ErrorCode:2009")
    assert again["status"] == "IN_PROGRESS" or any(each in again["errorMessage"] for each in texts)
    while settle(shared_partner, shared_partner.submit(job, "CLOSE"))["status"] != "SUCCEEDED":
        pass
    fresh = settle(shared_partner, shared_partner.submit(job))
    assert not any(each in (fresh.get("errorMessage") or "") for each in texts)


def test_the_irregularities_of_linkedins_samples_occur(partner: Partner) -> None:
    urns = partner.submit_many(1500)
    partner.advance(seconds=60)
    early = [result for result in partner.results(urns).values() if result["status"] == "IN_PROGRESS" and result.get("jobPosting")]
    partner.advance(days=2)
    results = partner.results(urns)
    assert early
    assert any(result["id"] != urn for urn, result in results.items())
    assert any("externalJobPostingId" not in result for result in results.values() if result["status"] == "FAILED")
    assert any(len(urn) < 64 for urn in urns)
    assert len({result["errorMessage"] for result in results.values() if result["status"] == "FAILED"}) > 20
    processed = [result for result in results.values() if result["status"] == "PROCESSED"]
    assert 0 < sum(bool(result.get("errorMessage")) for result in processed) < len(processed)


def test_calls_over_the_days_limit_are_refused_until_midnight_utc(serve_sandbox: ServeSandbox) -> None:
    partner = serve_sandbox(call_limit=3)
    urn = partner.submit("job-1")
    assert [partner.get_tasks([urn]).status_code for _ in range(3)] == [200, 200, 200]
    refused = partner.get_tasks([urn])
    assert refused.status_code == 429
    assert refused.json() == {
        "serviceErrorCode": 101,
        "message": "Resource level throttle limit for calls to this resource is reached.",
        "status": 429,
    }
    assert "retry-after" not in refused.headers
    other = partner.submit("job-1", application=BOLT)
    assert partner.get_tasks([other], BOLT).status_code == 200
    assert (partner.state()["calls_today"], partner.state()["calls_refused"]) == (4, 1)
    partner.inject_faults(name_day_limit=True)
    assert "DAY limit" in partner.get_tasks([urn]).json()["message"]
    partner.advance(hours=16)
    assert partner.get_tasks([urn]).status_code == 200
    assert (partner.state()["calls_today"], partner.state()["calls_total"]) == (1, 6)


def test_calls_over_the_limit_of_a_window_are_throttled_until_it_ends(partner: Partner) -> None:
    urn = partner.submit("job-1")
    partner.inject_faults(calls_per_window=2, window_seconds=300, retry_after_seconds=12)
    assert [partner.get_tasks([urn]).status_code for _ in range(3)] == [200, 200, 429]
    assert partner.get_tasks([urn]).headers["Retry-After"] == "12"
    partner.advance(seconds=300)
    assert partner.get_tasks([urn]).status_code == 200
    assert (partner.state()["calls_throttled"], partner.state()["calls_refused"]) == (2, 0)


def test_many_tasks_made_at_once_settle_like_others_and_can_be_requested(partner: Partner) -> None:
    rows = partner.world.create_tasks(ACME, 10_000)
    assert len({row["task_urn"] for row in rows}) == 10_000
    partner.advance(seconds=600)
    tasks = partner.state()["tasks"]
    assert 0.75 < 1 - tasks["IN_PROGRESS"] / 10_000 < 0.9
    urns = [row["task_urn"] for row in rows[:59]]
    assert partner.get_tasks(urns).json()["results"].keys() == set(urns)


def test_the_tasks_issued_can_be_listed_in_the_columns_of_an_import(partner: Partner) -> None:
    urn = partner.submit("job-1", alternateLocations=["Lyon, France"])
    partner.submit("job-2", application=BOLT)
    rows = partner.client.get("/control/tasks", params={"application": ACME}).json()
    assert rows == [
        {
            "task_urn": urn,
            "external_job_posting_id": "job-1",
            "operation": "CREATE",
            "requested_at": "2025-05-05T08:00:00+00:00",
            "application_urn": ACME,
            "title": "Cook",
            "location": "Köln, Germany",
        }
    ]
