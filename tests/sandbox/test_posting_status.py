"""jobPostingStatus: the status of jobs, in the shape of LinkedIn's fixture."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.sandbox.conftest import START, Partner


def get_status(partner: Partner, ids: list[str]) -> httpx.Response:
    query = "&".join(f"ids={quote(each, safe='')}" for each in ids)
    return partner.client.get(f"/v2/jobPostingStatus?{query}", headers=partner.headers())


def listed(partner: Partner, ids: list[str]) -> dict[str, Any]:
    partner.advance(days=2)
    results: dict[str, Any] = get_status(partner, ids).json()["results"]
    return results


def test_a_record_has_numbers_as_ids_explicit_nulls_and_other_names_for_the_company(shared_partner: Partner) -> None:
    ids = [str(number) for number in range(700, 720)]
    for each in ids:
        shared_partner.submit(each)
    records = listed(shared_partner, ids)
    record = next(each for each in records.values() if each["listingStatus"] == "LISTED")
    assert record["externalJobPostingId"] in range(700, 720)
    assert record["listingStatusDetail"] is None
    assert record["rawLocation"] == "Köln, Germany"
    assert record["jobPostingUrl"].startswith("https://www.linkedin.com/jobs/view/")
    assert record["jobPostingInfo"]["companyDetails"].keys() == {"name", "pageUrl"}
    assert record["jobPostingInfo"]["listedAt"] > 1_746_400_000_000
    assert not record.keys() & {"type", "developerApplicationUrn"}


def test_ids_are_free_text(shared_partner: Partner) -> None:
    ids = ["0815", "job & co = 7%", "中文+plus", "a b", "x,y:z"]
    urns = [shared_partner.submit(each) for each in ids for _ in range(1)]
    assert len(set(urns)) == len(ids)
    records = listed(shared_partner, ids)
    assert records
    assert records.keys() <= set(ids)
    assert all(record["externalJobPostingId"] == key for key, record in records.items())


def test_the_company_has_the_keys_of_the_documents_or_of_the_sdk(partner: Partner) -> None:
    for setting, keys in (("mixed", {"name", "pageUrl"}), ("documented", {"companyName", "companyPage"}), ("sdk", {"name", "pageUrl"})):
        partner.inject_faults(company_details=setting)
        record = partner.list_job(setting)
        assert record["jobPostingInfo"]["companyDetails"].keys() == keys


def expiry(record: dict[str, Any] | None) -> datetime:
    assert record is not None
    return datetime.fromtimestamp(record["jobPostingInfo"]["expireAt"] / 1000, UTC)


@pytest.mark.parametrize(("fields", "days"), [({}, 180), ({"listingType": "PREMIUM"}, 30), ({"listingType": "BASIC"}, 180)])
def test_a_job_expires_after_180_days_or_30_as_premium(partner: Partner, fields: dict[str, str], days: int) -> None:
    record = partner.list_job("job", **fields)
    assert expiry(record) - datetime.fromtimestamp(record["jobPostingInfo"]["listedAt"] / 1000, UTC) == timedelta(days=days)


def test_a_job_is_taken_down_at_the_time_requested_and_a_renewal_adds_thirty_days(partner: Partner) -> None:
    requested = START + timedelta(days=20)
    job = str(partner.list_job("job", expireAt=int(requested.timestamp() * 1000))["externalJobPostingId"])
    assert expiry(partner.get_status(job)) == requested
    while expiry(partner.get_status(job)) == requested:
        partner.submit(job, "RENEW")
        partner.advance(hours=2)
    assert expiry(partner.get_status(job)) == requested + timedelta(days=30)
    partner.advance(seconds=(requested + timedelta(days=30) - partner.world.now).total_seconds() - 1)
    before = partner.get_status(job)
    partner.advance(seconds=2)
    after = partner.get_status(job)
    assert before is not None
    assert after is not None
    # It may have been taken down for another reason before.
    assert (before["listingStatus"], after["listingStatus"]) in (("LISTED", "NOT_LISTED"), ("NOT_LISTED", "NOT_LISTED"))


def test_before_a_job_is_listed_it_has_no_expiry(partner: Partner) -> None:
    for number in range(30):
        partner.submit(f"job-{number}")
    records = []
    for _ in range(20):
        partner.advance(seconds=10)
        records += [record for number in range(30) if (record := partner.get_status(f"job-{number}"))]
    early = [record for record in records if record["listingStatus"] == "IN_PROGRESS"]
    assert early
    assert all(record["jobPostingInfo"]["expireAt"] is None for record in early)


def test_an_unknown_job_can_be_missing_instead_of_404(partner: Partner) -> None:
    partner.inject_faults(omit_unknown_ids=True)
    assert get_status(partner, ["nobody"]).json() == {"results": {}, "statuses": {}, "errors": {}}
    assert partner.get_status("nobody") is None


def test_a_resource_can_be_forbidden_alone(partner: Partner) -> None:
    urn = partner.submit("job-1")
    partner.inject_faults(forbidden_resources=["jobPostingStatus"])
    assert get_status(partner, ["job-1"]).status_code == 403
    assert partner.get_tasks([urn]).status_code == 200


def test_an_unknown_job_and_more_than_a_hundred_ids_are_refused(shared_partner: Partner) -> None:
    assert get_status(shared_partner, ["nobody"]).json()["errors"]["nobody"]["status"] == 404
    assert get_status(shared_partner, [str(n) for n in range(101)]).status_code == 400


def test_its_calls_are_counted_apart_from_those_for_tasks(partner: Partner) -> None:
    get_status(partner, ["nobody"])
    state = partner.state()
    assert (state["calls_today"], state["calls"]["jobPostingStatus"]["today"]) == (0, 1)
