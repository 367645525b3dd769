"""What a finding can be about, its severity, owner, remedy and evidence, and how it can end."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple


class Facet(StrEnum):
    """Which side of a job it is wrong with; WEBHOOK is about no job, but about how LinkedIn's notifications arrive."""

    TASK = "TASK"
    LISTING = "LISTING"
    APPLY = "APPLY"
    PROMOTION = "PROMOTION"
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


class Remedy(StrEnum):
    """What to send to LinkedIn, or to do instead."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    RENEW = "RENEW"
    CLOSE = "CLOSE"
    WAIT = "WAIT"
    CONTACT = "CONTACT"
    NO_REMEDY = "NONE"


AGAIN = "AGAIN"
"""In catalog and kinds the remedy that sends the operation that failed once more."""


class Evidence(StrEnum):
    """What a finding rests on."""

    TASK = "TASK"
    NOTIFICATION = "NOTIFICATION"
    CHECK = "CHECK"
    ABSENCE = "ABSENCE"


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
    "PROMOTED": Resolution("the job is promoted again", True),
    "RENEWED": Resolution("the job was renewed", True),
    "MIGRATED": Resolution("the job is live through your system", True),
    "CONFIRMED": Resolution("LinkedIn confirmed that the job is visible", True),
    "CLOSED": Resolution("the job was closed, so that it need not be on LinkedIn", True),
    "IMPORTED": Resolution("the job's requests were imported", True),
    "UPDATED": Resolution("an update was sent", True),
    "HEARD": Resolution("LinkedIn sends challenges and notifications again", True),
    "RESENT": Resolution("sent again, and LinkedIn carried it out", True),
    "RETIRED": Resolution("the customer is retired, so that nothing is expected any more", True),
    "RULE_CHANGED": Resolution("a newer version of jobrecon judges it differently", False),
    "SUPERSEDED": Resolution("something newer replaced it; the outcome is not known yet", False),
    "PROCESSED": Resolution("LinkedIn accepted the request, but the job is not live through your system yet", False),
    "FAILED": Resolution("the request failed", False),
    "EXPIRED": Resolution("the outcome can no longer be learned", False),
    "REJECTED": Resolution("LinkedIn refuses the task id", False),
    "NOT_LISTED": Resolution("LinkedIn decided not to show the job", False),
    "RAN_OUT": Resolution("the job's time on LinkedIn ran out", False),
    "NOT_ENABLED": Resolution("LinkedIn decided to leave LinkedIn Apply off", False),
}


class Ending(NamedTuple):
    """An episode ends as `resolution` where `fact` of its job has this value; the first that applies counts.

    The facts are those of sql/findings/update_resolved_findings.sql.
    """

    fact: str
    value: str
    resolution: str


@dataclass(frozen=True)
class Later:
    """What differs from an age on; None: as before."""

    after: timedelta
    severity: Severity | None = None
    owner: Owner | None = None
    next_action: str | None = None
    remedy: Remedy | None = None


@dataclass(frozen=True)
class FindingKind:
    """One kind of finding about one facet. `reason`, `next_action` and `remedy` hold where LinkedIn sent no message.

    `{as}` in an action stands for "as an update" and the like: the operation that the remedy sends. The remedy AGAIN sends
    the operation that failed once more.
    """

    kind: str
    facet: Facet
    name: str
    meaning: str
    """May name the settings {stuck_after}, {unconfirmed_after}, {lifespan} and {expiring_within}."""
    reason: str
    next_action: str
    severity: Severity = Severity.MEDIUM
    owner: Owner = Owner.PARTNER
    remedy: str = AGAIN
    evidence: Evidence = Evidence.NOTIFICATION
    """What it rests on, where its file in sql/findings/kinds/ does not say."""
    later: tuple[Later, ...] = ()
    endings: tuple[Ending, ...] = ()
    else_resolution: str = "SUPERSEDED"
    """How it ended where no ending applies."""

    @property
    def resolutions(self) -> dict[str, Resolution]:
        """Every way an episode of it can end."""
        names = [*(ending.resolution for ending in self.endings), self.else_resolution, "RETIRED", "RULE_CHANGED"]
        return {name: RESOLUTIONS[name] for name in names}
