"""jobPostingStatus: the status of jobs, in the shape of LinkedIn's fixture."""

from typing import Any
from urllib.parse import quote

import httpx

from tests.sandbox.conftest import Partner


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


def test_an_unknown_job_and_more_than_a_hundred_ids_are_refused(shared_partner: Partner) -> None:
    assert get_status(shared_partner, ["nobody"]).json()["errors"]["nobody"]["status"] == 404
    assert get_status(shared_partner, [str(n) for n in range(101)]).status_code == 400


def test_its_calls_are_counted_apart_from_those_for_tasks(partner: Partner) -> None:
    get_status(partner, ["nobody"])
    state = partner.state()
    assert (state["calls_today"], state["calls"]["jobPostingStatus"]["today"]) == (0, 1)
