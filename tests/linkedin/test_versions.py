"""Versions of LinkedIn's API: where calls go, with which header, and what is said of a version that is refused."""

import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse

from jobrecon.errors import VersionRefused
from jobrecon.settings import Settings
from tests.linkedin.conftest import ACME, Serve, make_application, make_world, task_urn
from tests.linkedin.fakes import FakeLinkedIn, error_response

REFUSALS = [
    (426, "Requested version 20230101 is not active"),
    (426, "Upgrade Required"),
    (400, "Requested version 20230101 is not active"),
    (400, "Invalid version header: the version is not valid"),
    (400, "A version must be present. Please specify a version by adding the LinkedIn-Version header."),
]


def test_without_a_version_calls_go_to_v2_and_carry_no_header(serve: Serve) -> None:
    fake = FakeLinkedIn()
    harness = serve(fake)
    harness.fetch(task_urn(1))
    assert (fake.requests[0].path, fake.requests[0].headers.get("linkedin-version")) == ("/v2/simpleJobPostingTasks", None)


def test_with_a_version_calls_go_to_rest_and_name_it(serve: Serve) -> None:
    fake = FakeLinkedIn()
    harness = serve(fake, api_version="202604")
    harness.fetch(task_urn(1))
    harness.fetch("urn:li:simpleJobPostingTask:" + "x" * 5000)
    assert [(request.path, request.method, request.headers["linkedin-version"]) for request in fake.requests] == [
        ("/rest/simpleJobPostingTasks", "GET", "202604"),
        ("/rest/simpleJobPostingTasks", "POST", "202604"),
    ]


def test_the_sandbox_serves_both(serve: Serve) -> None:
    world = make_world()
    (row,) = world.create_tasks(ACME, 1)
    for version in ("", "202601"):
        harness = serve(world, api_version=version)
        assert [response.status for response in harness.fetch(row["task_urn"])] == ["IN_PROGRESS"]


def test_the_sandbox_refuses_a_retired_version(serve: Serve) -> None:
    world = make_world()
    (row,) = world.create_tasks(ACME, 1)
    with pytest.raises(VersionRefused, match="JOBRECON_API_VERSION"):
        serve(world, api_version="202001").fetch(row["task_urn"])


@pytest.mark.parametrize("version", ["", "202301"])
@pytest.mark.parametrize(("status", "text"), REFUSALS)
def test_a_refused_version_is_an_error_that_says_what_to_set(serve: Serve, version: str, status: int, text: str) -> None:
    fake = FakeLinkedIn(lambda request: error_response(status, text))
    harness = serve(fake, make_application(), api_version=version)
    with pytest.raises(VersionRefused) as caught:
        harness.fetch(task_urn(1), task_urn(2))
    assert ("version 202301 of its API" in str(caught.value)) == ("unset it" in str(caught.value)) == bool(version)
    assert "Set JOBRECON_API_VERSION to a version" in str(caught.value)
    assert text in str(caught.value)
    assert len(fake.requests) == 1
    harness.import_urns(task_urn(1))
    assert "JOBRECON_API_VERSION" in harness.poll().unseen[ACME]


def test_a_batch_that_is_refused_for_an_id_is_not_taken_for_a_refused_version(serve: Serve) -> None:
    fake = FakeLinkedIn(lambda request: JSONResponse({"message": "Batch key parameter value is invalid", "status": 400}, 400))
    harness = serve(fake, api_version="202604")
    assert [response.error_message for response in harness.fetch("version-1")] == ["Batch key parameter value is invalid"]


@pytest.mark.parametrize("version", ["2026", "202613", "202600", "v202604", "2026-04", "199912", "20260401"])
def test_a_version_that_is_no_year_and_month_is_a_wrong_setting(version: str) -> None:
    with pytest.raises(ValidationError, match="such as 202604"):
        Settings(api_version=version)
