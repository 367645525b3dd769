"""What each kind of finding is called and means, and how an episode can end, in plain words."""

from functools import cache

from jobrecon.reports.formatting import describe_seconds
from jobrecon.settings import Settings
from models import BY_KIND_AND_FACET, FINDING_KINDS, RESOLUTIONS, Facet, Kind, Operation

FAILED_OPERATIONS: dict[str, str] = {
    Operation.CREATE: "Posting failed",
    Operation.UPDATE: "Change failed",
    Operation.RENEW: "Renewal failed",
    Operation.CLOSE: "Closing failed",
}


@cache
def name_issue(kind: str, facet: str, operation: str | None = None) -> str:
    """What is wrong, in two or three words; also of a kind that an older version found."""
    if kind == Kind.FAILED and operation in FAILED_OPERATIONS:
        return FAILED_OPERATIONS[operation]
    entry = BY_KIND_AND_FACET.get((kind, facet))
    return entry.name if entry else kind.replace("_", " ").capitalize()


SEVERITIES = {"HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}

GLOSSES = {
    FAILED_OPERATIONS[Operation.CREATE]: "LinkedIn refused to post it",
    FAILED_OPERATIONS[Operation.UPDATE]: "LinkedIn refused the change",
    FAILED_OPERATIONS[Operation.RENEW]: "LinkedIn refused the renewal",
    FAILED_OPERATIONS[Operation.CLOSE]: "LinkedIn refused to take it down",
    name_issue(Kind.UNLISTED, Facet.LISTING): "LinkedIn took the request, but does not show the job",
}
"""What sets names apart that are easily taken for each other."""

EVIDENCES = {
    "TASK": "LinkedIn’s answer to the request",
    "NOTIFICATION": "LinkedIn’s notification",
    "CHECK": "a check of the job on LinkedIn",
    "ABSENCE": "nothing came from LinkedIn",
}

SENDINGS = {
    "CREATE": "send it as a new job",
    "UPDATE": "send it as an update",
    "RENEW": "send a renewal",
    "CLOSE": "send the request to close it",
    "WAIT": "send nothing, wait",
    "CONTACT": "send nothing, contact LinkedIn Support",
    "NONE": "send nothing",
}
"""What goes to LinkedIn to solve a finding, by its remedy."""

ACTION_WORDS = {"CREATE": "as a new job", "UPDATE": "as an update", "RENEW": "renew", "CLOSE": "clos"}
"""By what an action that names its operation is known."""

LIVE = {True: "on LinkedIn", False: "not on LinkedIn"}
"""What LinkedIn last said of a job; missing: it said nothing."""

OWNERS = {"CUSTOMER": "Customer", "PARTNER": "Integration team", "LINKEDIN": "LinkedIn"}


def name_job(title: str | None, external_job_posting_id: str, facet: str) -> str:
    """A job's title or id; where a finding is about no single job, what it is about."""
    everything = "LinkedIn’s notifications" if facet == Facet.WEBHOOK else "All open jobs"
    return title or external_job_posting_id or everything


@cache
def is_good_ending(resolution: str | None, later_status: str | None = None) -> bool:
    """Whether all is known to be well. A newer request proves that only once it succeeded."""
    ending = RESOLUTIONS.get(_find_ending(resolution, later_status))
    return ending is not None and ending.is_good


@cache
def describe_ending(resolution: str | None, later_status: str | None = None) -> str:
    """How a resolved episode ended, in plain words."""
    ending = RESOLUTIONS.get(_find_ending(resolution, later_status))
    return ending.text if ending else "it is no longer so"


def _find_ending(resolution: str | None, later_status: str | None) -> str:
    return "RESENT" if resolution == "SUPERSEDED" and later_status == "SUCCEEDED" else resolution or ""


def describe_sending(remedy: str | None, owner: str, next_action: str) -> str:
    """Who sends what to LinkedIn, in words to an account manager, who never sends anything herself; '' where the action says it."""
    if remedy in ACTION_WORDS and "integration team" in next_action and ACTION_WORDS[remedy] in next_action:
        return ""
    match remedy:
        case "CREATE" | "UPDATE" | "RENEW" | "CLOSE":
            condition = " once the customer has done this" if owner == "CUSTOMER" else ""
            return f"Your integration team has to {SENDINGS[remedy]}{condition}."
        case "WAIT":
            return "Nobody sends anything for now."
        case "CONTACT":
            return "Nothing that is sent helps before LinkedIn Support has been asked."
        case _:
            return "Nobody has to send anything."


def explain_kinds(settings: Settings) -> list[tuple[str, str]]:
    """(name, meaning) of everything that the report can find, with the thresholds that are set."""
    thresholds = {
        "stuck_after": describe_seconds(settings.stuck_after),
        "unconfirmed_after": describe_seconds(settings.unconfirmed_after),
        "expiring_within": describe_seconds(settings.expiring_within),
        "lifespan": describe_seconds(settings.task_lifespan_days * 86_400),
    }
    return [(entry.name, entry.meaning.format(**thresholds)) for entry in FINDING_KINDS]
