"""What each kind of finding is called and means, and how an episode can end, in plain words."""

from jobrecon.reports.facts import ReportedFinding
from jobrecon.reports.formatting import describe_seconds
from jobrecon.settings import Settings
from models import BY_KIND_AND_FACET, FINDING_KINDS, RESOLUTIONS, Facet, Kind, Operation

FAILED_OPERATIONS: dict[str, str] = {
    Operation.CREATE: "Posting failed",
    Operation.UPDATE: "Change failed",
    Operation.RENEW: "Renewal failed",
    Operation.CLOSE: "Closing failed",
}

SEVERITIES = {"HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}

OWNERS = {"CUSTOMER": "Customer", "PARTNER": "Us", "LINKEDIN": "LinkedIn"}


def name_trouble(finding: ReportedFinding) -> str:
    """What is wrong, in two or three words."""
    if finding.kind == Kind.FAILED and finding.operation in FAILED_OPERATIONS:
        return FAILED_OPERATIONS[finding.operation]
    return name_kind(finding.kind, finding.facet)


def name_kind(kind: str, facet: str) -> str:
    """A kind of finding in two or three words, also one of an older version."""
    entry = BY_KIND_AND_FACET.get((kind, facet))
    return entry.name if entry else kind.replace("_", " ").capitalize()


def name_job(finding: ReportedFinding) -> str:
    """What the finding is about, where that is no single job; else the job's title or id."""
    everything = "LinkedIn’s notifications" if finding.facet == Facet.WEBHOOK else "All open jobs"
    return finding.title or finding.external_job_posting_id or everything


def is_good_ending(finding: ReportedFinding) -> bool:
    """Whether it is known to be well, which a newer request alone does not tell."""
    ending = RESOLUTIONS.get(_find_ending(finding))
    return ending is not None and ending.is_good


def describe_ending(finding: ReportedFinding) -> str:
    """How a resolved episode ended."""
    return describe_resolution(_find_ending(finding))


def describe_resolution(resolution: str | None) -> str:
    """A resolution in plain words."""
    ending = RESOLUTIONS.get(resolution or "")
    return ending.text if ending else "it is no longer so"


def _find_ending(finding: ReportedFinding) -> str:
    if finding.resolution == "SUPERSEDED" and finding.later_status == "SUCCEEDED":
        return "RESENT"
    return finding.resolution or ""


def explain_kinds(settings: Settings) -> list[tuple[str, str]]:
    """(name, meaning) of everything that the report can find, with the thresholds that are set."""
    thresholds = {
        "stuck_after": describe_seconds(settings.stuck_after),
        "unconfirmed_after": describe_seconds(settings.unconfirmed_after),
        "lifespan": describe_seconds(settings.task_lifespan_days * 86_400),
    }
    return [(entry.name, entry.meaning.format(**thresholds)) for entry in FINDING_KINDS]
