"""Every kind of finding, defined once: its name, words, severity, owner and how an episode of it can end.

SQL loading, report, mail, documentation and tests read this. A new kind is a member of `Kind`, an entry of `FINDING_KINDS`
and a file in sql/findings/kinds/ that selects the jobs it is true of.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What is wrong."""

    STUCK = "STUCK"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    INVALID = "INVALID"
    UNLISTED = "UNLISTED"
    STILL_LISTED = "STILL_LISTED"
    APPLY_DISABLED = "APPLY_DISABLED"
    UNCONFIRMED = "UNCONFIRMED"
    UNKNOWN_JOB = "UNKNOWN_JOB"
    RESYNC_DUE = "RESYNC_DUE"
    WEBHOOK_SILENT = "WEBHOOK_SILENT"


class Facet(StrEnum):
    """Which side of a job it is wrong with; WEBHOOK is about no job, but about how LinkedIn's notifications arrive."""

    TASK = "TASK"
    LISTING = "LISTING"
    APPLY = "APPLY"
    WEBHOOK = "WEBHOOK"


class Severity(StrEnum):
    """How much it weighs, the heaviest first: the one order that SQL and reports sort by."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Owner(StrEnum):
    """Who has to act."""

    CUSTOMER = "CUSTOMER"
    PARTNER = "PARTNER"
    LINKEDIN = "LINKEDIN"


class Resolution(NamedTuple):
    """How an episode ended, in plain words, and whether that is known to be well."""

    text: str
    is_good: bool


RESOLUTIONS: dict[str, Resolution] = {
    "SUCCEEDED": Resolution("LinkedIn carried out the request", True),
    "RELISTED": Resolution("the job is on LinkedIn again", True),
    "LISTED": Resolution("the job is on LinkedIn", True),
    "UNLISTED": Resolution("LinkedIn took the job down", True),
    "ENABLED": Resolution("LinkedIn Apply is on", True),
    "CONFIRMED": Resolution("LinkedIn confirmed that the job is visible", True),
    "CLOSED": Resolution("the job was closed, so that it need not be on LinkedIn", True),
    "IMPORTED": Resolution("the job's requests were imported", True),
    "UPDATED": Resolution("an update was sent", True),
    "HEARD": Resolution("LinkedIn sends challenges and notifications again", True),
    "RESENT": Resolution("sent again, and LinkedIn carried it out", True),
    "SUPERSEDED": Resolution("something newer replaced it; the outcome is not known yet", False),
    "PROCESSED": Resolution("LinkedIn accepted the request, but the job is not live through your system yet", False),
    "FAILED": Resolution("the request failed", False),
    "EXPIRED": Resolution("the outcome can no longer be learned", False),
    "REJECTED": Resolution("LinkedIn refuses the request number", False),
    "NOT_LISTED": Resolution("LinkedIn decided not to show the job", False),
    "NOT_ENABLED": Resolution("LinkedIn decided to leave LinkedIn Apply off", False),
}


class Ending(NamedTuple):
    """An episode ends as `resolution` where `fact` of its job has this value; the first that applies counts.

    The facts are those of sql/findings/update_resolved_findings.sql.
    """

    fact: str
    value: str
    resolution: str


def _as_they_are(fact: str, *values: str) -> tuple[Ending, ...]:
    return tuple(Ending(fact, value, value) for value in values)


_TASK_SETTLED = _as_they_are("task", "SUPERSEDED", "SUCCEEDED", "FAILED", "PROCESSED", "EXPIRED", "REJECTED")
_NO_LONGER_EXPECTED = (Ending("expected_listing", "NOT_LISTED", "CLOSED"), Ending("expected_listing", "UNKNOWN", "SUPERSEDED"))


@dataclass(frozen=True)
class FindingKind:
    """One kind of finding about one facet. `reason` and `next_action` are what is said where LinkedIn sent no message."""

    kind: Kind
    facet: Facet
    name: str
    meaning: str
    """May name the settings {stuck_after}, {unconfirmed_after} and {lifespan}."""
    severity: Severity
    owner: Owner
    reason: str
    next_action: str
    endings: tuple[Ending, ...] = ()
    else_resolution: str = "SUPERSEDED"
    """How it ended where no ending applies."""

    @property
    def resolutions(self) -> dict[str, Resolution]:
        """Every way an episode of it can end."""
        return {name: RESOLUTIONS[name] for name in [*(ending.resolution for ending in self.endings), self.else_resolution]}


FINDING_KINDS: tuple[FindingKind, ...] = (
    FindingKind(
        Kind.FAILED,
        Facet.TASK,
        name="Request failed",
        meaning="The newest request for the job failed. A failed change or renewal leaves the job as it was.",
        severity=Severity.MEDIUM,
        owner=Owner.PARTNER,
        reason="The request for this job failed and LinkedIn gives no reason.",
        next_action="Ask your integration team to check what was sent for this job and to send it again. If it fails again without a "
        "reason, open a LinkedIn support ticket.",
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.UNLISTED,
        Facet.LISTING,
        name="Not on LinkedIn",
        meaning="The job should be on LinkedIn, and LinkedIn says that it is not.",
        severity=Severity.HIGH,
        owner=Owner.PARTNER,
        reason="The job should be on LinkedIn but is not, and LinkedIn gives no reason.",
        next_action="Ask your integration team whether your system closed the job, and to send it again if it is still open. If it "
        "stays off without a reason, open a LinkedIn support ticket.",
        endings=(*_NO_LONGER_EXPECTED, Ending("listing_status", "LISTED", "RELISTED")),
    ),
    FindingKind(
        Kind.STILL_LISTED,
        Facet.LISTING,
        name="Still on LinkedIn",
        meaning="The job was closed, and more than an hour later LinkedIn still said that it shows it.",
        severity=Severity.HIGH,
        owner=Owner.PARTNER,
        reason="The job is closed in your system but still visible on LinkedIn.",
        next_action="Ask your integration team to send the request to close this job again. If it stays visible after that, open a "
        "LinkedIn support ticket.",
        endings=(Ending("listing_status", "NOT_LISTED", "UNLISTED"), Ending("listing_status", "IN_PROGRESS", "UNLISTED")),
    ),
    FindingKind(
        Kind.STUCK,
        Facet.TASK,
        name="Still in progress",
        meaning="LinkedIn has not said how a request ended {stuck_after} or more after it was sent.",
        severity=Severity.MEDIUM,
        owner=Owner.LINKEDIN,
        reason="LinkedIn has not said how the request for this job ended.",
        next_action="Wait for LinkedIn and do not send the job again meanwhile. If there is still no result tomorrow, open a LinkedIn "
        "support ticket that names the job.",
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.EXPIRED,
        Facet.TASK,
        name="Outcome unknown",
        meaning="LinkedIn did not say how a request ended within {lifespan}, after which it forgets the request.",
        severity=Severity.HIGH,
        owner=Owner.PARTNER,
        reason="It was never learned how the request for this job ended, and LinkedIn forgets requests after 30 days.",
        next_action="Check on LinkedIn whether the job is there and up to date. If it is not as it should be, ask your integration team "
        "to send it again.",
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.REJECTED,
        Facet.TASK,
        name="Request number refused",
        meaning="LinkedIn does not know the number under which the request was stored.",
        severity=Severity.MEDIUM,
        owner=Owner.PARTNER,
        reason="LinkedIn does not know, or refuses, the request number your system has stored for this job.",
        next_action="Ask your integration team to check what your system stored when it sent the job. If the number cannot be put right, "
        "they send the job again.",
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.APPLY_DISABLED,
        Facet.APPLY,
        name="LinkedIn Apply off",
        meaning="The job should be on LinkedIn, and an error keeps candidates from applying on LinkedIn itself.",
        severity=Severity.MEDIUM,
        owner=Owner.PARTNER,
        reason="Candidates cannot apply to this job on LinkedIn itself, and LinkedIn gives no reason.",
        next_action="Ask your integration team to check this job's application questions and the address that receives applications, "
        "correct what is wrong and send the job again.",
        endings=(*_NO_LONGER_EXPECTED, Ending("apply_status", "ENABLED", "ENABLED")),
    ),
    FindingKind(
        Kind.STUCK,
        Facet.LISTING,
        name="Listing undecided",
        meaning="LinkedIn has called the listing in progress for 24 h or more.",
        severity=Severity.MEDIUM,
        owner=Owner.LINKEDIN,
        reason="LinkedIn has not yet decided whether to show this job.",
        next_action="Wait for LinkedIn's decision. If there is still none tomorrow, open a LinkedIn support ticket that names the job.",
        endings=(*_NO_LONGER_EXPECTED, *_as_they_are("listing_status", "LISTED", "NOT_LISTED")),
    ),
    FindingKind(
        Kind.STUCK,
        Facet.APPLY,
        name="LinkedIn Apply undecided",
        meaning="LinkedIn has called LinkedIn Apply in progress for 24 h or more.",
        severity=Severity.MEDIUM,
        owner=Owner.LINKEDIN,
        reason="LinkedIn has not finished switching on applying on LinkedIn for this job.",
        next_action="Wait for LinkedIn to finish. If applying is still not on tomorrow, open a LinkedIn support ticket that names the job.",
        endings=(*_NO_LONGER_EXPECTED, *_as_they_are("apply_status", "ENABLED", "NOT_ENABLED")),
    ),
    FindingKind(
        Kind.UNCONFIRMED,
        Facet.LISTING,
        name="Not confirmed",
        meaning="The request succeeded, but LinkedIn has not said for {unconfirmed_after} that the job is visible.",
        severity=Severity.LOW,
        owner=Owner.PARTNER,
        reason="The request for this job succeeded, but LinkedIn has not confirmed that the job is visible.",
        next_action="Look for the job on LinkedIn. If it is not there, ask your integration team to check that LinkedIn's status messages "
        "reach your system and to send the job again.",
        endings=(*_NO_LONGER_EXPECTED, Ending("is_confirmed", "true", "CONFIRMED")),
    ),
    FindingKind(
        Kind.INVALID,
        Facet.TASK,
        name="Errors before migration",
        meaning="LinkedIn accepted the job and found errors in it, while the customer is not yet moved over.",
        severity=Severity.LOW,
        owner=Owner.PARTNER,
        reason="LinkedIn finds errors in the job as sent; the customer's jobs still come from a job feed or career site, so none is live "
        "through your system yet.",
        next_action="Ask your integration team to correct what was sent for this job and send it again. It goes live through your system "
        "only once LinkedIn has moved the customer over.",
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.UNKNOWN_JOB,
        Facet.LISTING,
        name="Unknown job",
        meaning="LinkedIn reports on a job that was never imported here.",
        severity=Severity.LOW,
        owner=Owner.PARTNER,
        reason="LinkedIn reports on a job that was never imported here.",
        next_action="Ask your integration team whether this job is yours. If so, they add it to the import; if not, they find out who sent "
        "it to LinkedIn for this customer.",
        else_resolution="IMPORTED",
    ),
    FindingKind(
        Kind.RESYNC_DUE,
        Facet.LISTING,
        name="Update requested by LinkedIn",
        meaning="LinkedIn asked for the job's current content, and no update was sent within 30 min.",
        severity=Severity.HIGH,
        owner=Owner.PARTNER,
        reason="LinkedIn asked for the current content of this job, or of all open jobs of this customer, and your system has not sent it.",
        next_action="Ask your integration team to send an update now: of this job, or of every open job of this customer if none is named. "
        "LinkedIn expects it within 30 minutes of asking.",
        endings=(Ending("last_operation", "CLOSE", "CLOSED"),),
        else_resolution="UPDATED",
    ),
    FindingKind(
        Kind.WEBHOOK_SILENT,
        Facet.WEBHOOK,
        name="Webhook silent",
        meaning="LinkedIn has stopped challenging the webhook, or sending notifications to it.",
        severity=Severity.HIGH,
        owner=Owner.PARTNER,
        reason="LinkedIn has stopped sending status messages, so changes to jobs may go unnoticed.",
        next_action="Ask your integration team to run `jobrecon doctor`, to check that LinkedIn can reach the address of the webhook, and to "
        "register it again in LinkedIn's developer portal. LinkedIn does not send again what was missed.",
        else_resolution="HEARD",
    ),
)
"""In the order in which reports explain them."""

BY_KIND_AND_FACET: dict[tuple[str, str], FindingKind] = {(entry.kind, entry.facet): entry for entry in FINDING_KINDS}
