"""Jobs as LinkedIn shows them: their state, and the status record and the notification made from it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from jobrecon.sandbox import messages, rates
from jobrecon.sandbox.messages import Detail
from jobrecon.sandbox.rates import SeededRandom

LISTED, NOT_LISTED, IN_PROGRESS = "LISTED", "NOT_LISTED", "IN_PROGRESS"
ENABLED, NOT_ENABLED = "ENABLED", "NOT_ENABLED"
PROMOTED, NOT_PROMOTED = "PROMOTED", "NOT_PROMOTED"

BASIC_LIFETIME_SECONDS, PREMIUM_LIFETIME_SECONDS, RENEWAL_SECONDS = 180 * 86_400, 30 * 86_400, 30 * 86_400
MIN_LIFETIME_SECONDS, MAX_PREMIUM_LIFETIME_SECONDS = 86_400, 90 * 86_400
MIN_DESCRIPTION_LENGTH, MAX_DESCRIPTION_LENGTH = 100, 25_000
PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
"""Ids that survive a round trip through any JSON parser unchanged."""

Facet = tuple[str, Detail | None]
"""A status and the detail that comes with it."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an operation says of the job besides its title and location; None where it was not given."""

    description_length: int | None = None
    apply_url: str | None = None
    expire_at: float | None = None
    is_premium: bool | None = None

    def find_error(self, now: float) -> str | None:
        """The error with which a task of this content fails; None where it is valid."""
        if self.description_length is not None and self.description_length < MIN_DESCRIPTION_LENGTH:
            return messages.DESCRIPTION_TOO_SHORT
        if self.description_length is not None and self.description_length > MAX_DESCRIPTION_LENGTH:
            return messages.DESCRIPTION_INVALID
        if self.apply_url is not None and not self.apply_url.startswith(("http://", "https://")):
            return messages.INVALID_APPLY_URL
        if self.expire_at is not None and not MIN_LIFETIME_SECONDS < self.expire_at - now <= (
            MAX_PREMIUM_LIFETIME_SECONDS if self.is_premium else math.inf
        ):
            return messages.INVALID_EXPIRATION
        return None


@dataclass(slots=True, eq=False)
class Job:
    """One externalJobPostingId of one application."""

    external_id: str
    company: str
    is_silent: bool
    posting_number: int
    title: str | None = None
    location: str | None = None
    other_locations: tuple[str, ...] = ()
    exists: bool = False
    """Whether the operations accepted so far leave a job behind that an UPDATE could change."""
    requests: int = 0
    events: int = 0
    generation: int = 0
    """Counts operations that took effect: events scheduled before the last of them are void."""
    effective_request_at: float = 0.0
    """When the newest operation that took effect was requested."""
    listing: Facet | None = None
    apply: Facet | None = None
    promotion: Facet | None = None
    listed_at_ms: int | None = None
    is_premium: bool | None = None
    expire_at: float | None = None
    """When LinkedIn takes the job down; shown once it is listed."""

    @property
    def url(self) -> str:
        return f"https://www.linkedin.com/jobs/view/{self.posting_number}"

    def start_lifetime(self, now: float) -> None:
        """The job is listed: its time runs, to what was requested or by default."""
        if self.listed_at_ms is None:
            self.listed_at_ms = int(now * 1000)
        if self.expire_at is None or self.expire_at <= now:
            self.expire_at = now + (PREMIUM_LIFETIME_SECONDS if self.is_premium else BASIC_LIFETIME_SECONDS)

    def take_over(self, operation: str, content: Content | None, now: float) -> None:
        """An operation takes effect: a CREATE begins a new lifetime, a RENEW extends it by 30 days, others may set it."""
        if operation == "RENEW":
            self.expire_at = None if self.expire_at is None else max(self.expire_at, now) + RENEWAL_SECONDS
            return
        if operation == "CREATE":
            self.listed_at_ms = self.expire_at = None
        if content is not None:
            self.is_premium = self.is_premium if content.is_premium is None else content.is_premium
            self.expire_at = content.expire_at or self.expire_at

    def json_id(self) -> str | int:
        """The id as a JSON number where it is one, as in LinkedIn's fixture."""
        plain = self.external_id
        return int(plain) if PLAIN_NUMBER.fullmatch(plain) else plain


def status_record(job: Job, company_details: str) -> dict[str, Any]:
    """The record of `jobPostingStatus`: absent values are explicit nulls."""
    return {
        "externalJobPostingId": job.json_id(),
        "jobPostingUrl": job.url if job.listed_at_ms is not None else None,
        **_facets(job.listing, job.apply, job.promotion),
        "jobCampaign": None,
        "partnerJobCampaign": None,
        "rawLocation": job.location,
        "jobPostingInfo": _info(job, is_documented=company_details == "documented"),
    }


def notification_body(
    job: Job,
    application_urn: str,
    rng: SeededRandom,
    *,
    listing: Facet | None,
    apply: Facet | None,
    promotion: Facet | None,
    company_details: str,
) -> dict[str, Any]:
    """A JOB_POSTING_STATUS notification in one of the shapes the documentation leaves open."""
    facets = _facets(listing, apply, promotion)
    if rng.happens(rates.DETAILS_ABSENT):
        facets = {name: value for name, value in facets.items() if value is not None}
    info = _info(job, is_documented=company_details != "sdk")
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


def _info(job: Job, *, is_documented: bool) -> dict[str, Any]:
    name_key, page_key = ("companyName", "companyPage") if is_documented else ("name", "pageUrl")
    return {
        "listedAt": job.listed_at_ms,
        "expireAt": int(job.expire_at * 1000) if job.expire_at is not None and job.listed_at_ms is not None else None,
        "location": job.location,
        "alternateLocations": list(job.other_locations),
        "companyDetails": {name_key: job.company, page_key: f"https://www.linkedin.com/company/{len(job.company)}"},
        "visibilityTag": "PUBLIC",
    }
