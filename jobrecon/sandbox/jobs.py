"""Jobs as LinkedIn shows them: their state, and the status record and the notification made from it."""

from __future__ import annotations

import re
from typing import Any

from jobrecon.sandbox import rates
from jobrecon.sandbox.messages import Detail
from jobrecon.sandbox.seeded_random import SeededRandom

LISTED, NOT_LISTED, IN_PROGRESS = "LISTED", "NOT_LISTED", "IN_PROGRESS"
ENABLED, NOT_ENABLED = "ENABLED", "NOT_ENABLED"
PROMOTED, NOT_PROMOTED = "PROMOTED", "NOT_PROMOTED"

LISTING_LIFETIME_MS = 180 * 86_400_000
PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
"""Ids that survive a round trip through any JSON parser unchanged."""

Facet = tuple[str, Detail | None]
"""A status and the detail that comes with it."""


class Job:
    """One externalJobPostingId of one application."""

    __slots__ = (
        "apply",
        "company",
        "effective_request_at",
        "events",
        "exists",
        "external_id",
        "generation",
        "is_silent",
        "listed_at_ms",
        "listing",
        "location",
        "other_locations",
        "posting_number",
        "promotion",
        "requests",
        "title",
    )

    def __init__(self, external_id: str, company: str, is_silent: bool, posting_number: int) -> None:
        self.external_id = external_id
        self.company = company
        self.is_silent = is_silent
        self.posting_number = posting_number
        self.title: str | None = None
        self.location: str | None = None
        self.other_locations: tuple[str, ...] = ()
        self.exists = False
        """Whether the operations accepted so far leave a job behind that an UPDATE could change."""
        self.requests = 0
        self.events = 0
        self.generation = 0
        """Counts operations that took effect: events scheduled before the last of them are void."""
        self.effective_request_at = 0.0
        """When the newest operation that took effect was requested."""
        self.listing: Facet | None = None
        self.apply: Facet | None = None
        self.promotion: Facet | None = None
        self.listed_at_ms: int | None = None

    @property
    def url(self) -> str:
        return f"https://www.linkedin.com/jobs/view/{self.posting_number}"

    def json_id(self) -> str | int:
        """The id as a JSON number where it is one, as in LinkedIn's fixture."""
        plain = self.external_id
        return int(plain) if PLAIN_NUMBER.fullmatch(plain) else plain


def status_record(job: Job) -> dict[str, Any]:
    """The record of `jobPostingStatus`: absent values are explicit nulls."""
    return {
        "externalJobPostingId": job.json_id(),
        "jobPostingUrl": job.url if job.listed_at_ms is not None else None,
        **_facets(job.listing, job.apply, job.promotion),
        "jobCampaign": None,
        "partnerJobCampaign": None,
        "rawLocation": job.location,
        "jobPostingInfo": _info(job, "name", "pageUrl"),
    }


def notification_body(
    job: Job, application_urn: str, rng: SeededRandom, *, listing: Facet | None, apply: Facet | None, promotion: Facet | None
) -> dict[str, Any]:
    """A JOB_POSTING_STATUS notification in one of the shapes the documentation leaves open."""
    facets = _facets(listing, apply, promotion)
    if rng.happens(rates.DETAILS_ABSENT):
        facets = {name: value for name, value in facets.items() if value is not None}
    info = _info(job, "companyName", "companyPage")
    body: dict[str, Any] = {
        "type": "JOB_POSTING_STATUS",
        "externalJobPostingId": job.json_id() if rng.happens(rates.NUMBER_AS_ID) else job.external_id,
        "developerApplicationUrn": application_urn,
        "jobPostingUrl": job.url if job.listed_at_ms is not None else None,
    }
    (info if rng.happens(rates.FIELDS_INSIDE_INFO) else body).update(facets)
    return body | {"jobCampaign": None, "partnerJobCampaign": None, "jobPostingInfo": info}


def resync_body(job: Job, application_urn: str) -> dict[str, Any]:
    return {
        "type": "RESYNC_JOBS",
        "developerApplicationUrn": application_urn,
        "syncAllOpenJobs": False,
        "externalJobPostingIds": [job.external_id],
    }


def _facets(listing: Facet | None, apply: Facet | None, promotion: Facet | None) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    for name, facet in (("listingStatus", listing), ("linkedInApplyStatus", apply), ("promotionStatus", promotion)):
        status, detail = facet or (None, None)
        facets[name] = status
        facets[f"{name}Detail"] = detail.as_json() if detail else None
    return facets


def _info(job: Job, name_key: str, page_key: str) -> dict[str, Any]:
    listed_at = job.listed_at_ms
    return {
        "listedAt": listed_at,
        "expireAt": None if listed_at is None else listed_at + LISTING_LIFETIME_MS,
        "location": job.location,
        "alternateLocations": list(job.other_locations),
        "companyDetails": {name_key: job.company, page_key: f"https://www.linkedin.com/company/{len(job.company)}"},
        "visibilityTag": "PUBLIC",
    }
