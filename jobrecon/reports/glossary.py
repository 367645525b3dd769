"""What each kind of finding is called and means, and how an episode can end, in plain words."""

from jobrecon.reports.facts import ReportedFinding
from jobrecon.reports.formatting import describe_seconds
from jobrecon.settings import Settings
from models import Facet, Operation
from models.finding import Kind

NAMES: dict[tuple[str, str], str] = {
    (Kind.STUCK, Facet.TASK): "No answer yet",
    (Kind.STUCK, Facet.LISTING): "Listing undecided",
    (Kind.STUCK, Facet.APPLY): "Easy Apply undecided",
    (Kind.EXPIRED, Facet.TASK): "Answer lost",
    (Kind.REJECTED, Facet.TASK): "Request number refused",
    (Kind.FAILED, Facet.TASK): "Request failed",
    (Kind.INVALID, Facet.TASK): "Faults before going live",
    (Kind.UNLISTED, Facet.LISTING): "Not on LinkedIn",
    (Kind.STILL_LISTED, Facet.LISTING): "Still on LinkedIn",
    (Kind.APPLY_DISABLED, Facet.APPLY): "Easy Apply off",
    (Kind.UNCONFIRMED, Facet.LISTING): "Not confirmed",
    (Kind.UNKNOWN_JOB, Facet.LISTING): "Unknown job",
    (Kind.RESYNC_DUE, Facet.LISTING): "LinkedIn waits for an update",
    (Kind.WEBHOOK_SILENT, Facet.WEBHOOK): "No word from LinkedIn",
}

FAILED_OPERATIONS: dict[str, str] = {
    Operation.CREATE: "Posting failed",
    Operation.UPDATE: "Change failed",
    Operation.RENEW: "Renewal failed",
    Operation.CLOSE: "Closing failed",
}

SEVERITIES = {"HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}

OWNERS = {"CUSTOMER": "Customer", "PARTNER": "Us", "LINKEDIN": "LinkedIn"}

GOOD_ENDINGS = {
    "SUCCEEDED": "LinkedIn carried out the request",
    "RELISTED": "the job is on LinkedIn again",
    "LISTED": "the job is on LinkedIn",
    "UNLISTED": "LinkedIn took the job down",
    "ENABLED": "Easy Apply is on",
    "CONFIRMED": "LinkedIn confirmed that the job is visible",
    "CLOSED": "the job was closed, so that it need not be on LinkedIn",
    "IMPORTED": "the job is known now",
    "UPDATED": "an update was sent",
    "HEARD": "LinkedIn was heard of again",
    "RESENT": "sent again, and LinkedIn carried it out",
}

OTHER_ENDINGS = {
    "SUPERSEDED": "something newer replaced it; the outcome is not known yet",
    "PROCESSED": "LinkedIn accepted the request, but the job is not live through your system yet",
    "FAILED": "LinkedIn answered: the request failed",
    "EXPIRED": "LinkedIn's answer can no longer be learned",
    "REJECTED": "LinkedIn refuses the request number",
    "NOT_LISTED": "LinkedIn decided not to show the job",
    "NOT_ENABLED": "LinkedIn decided to leave Easy Apply off",
}

ENDINGS = GOOD_ENDINGS | OTHER_ENDINGS


def name_trouble(finding: ReportedFinding) -> str:
    """What is wrong, in two or three words."""
    if finding.kind == Kind.FAILED and finding.operation in FAILED_OPERATIONS:
        return FAILED_OPERATIONS[finding.operation]
    return NAMES.get((finding.kind, finding.facet), finding.kind.replace("_", " ").capitalize())


def name_job(finding: ReportedFinding) -> str:
    """What the finding is about, where that is no single job; else the job's title or id."""
    everything = "LinkedIn’s notifications" if finding.facet == Facet.WEBHOOK else "All open jobs"
    return finding.title or finding.external_job_posting_id or everything


def is_good_ending(finding: ReportedFinding) -> bool:
    """Whether it is known to be well, which a newer request alone does not tell."""
    return _find_ending(finding) in GOOD_ENDINGS


def describe_ending(finding: ReportedFinding) -> str:
    """How a resolved episode ended."""
    return describe_resolution(_find_ending(finding))


def describe_resolution(resolution: str | None) -> str:
    """A resolution in plain words."""
    return ENDINGS.get(resolution or "", "it is no longer so")


def _find_ending(finding: ReportedFinding) -> str:
    if finding.resolution == "SUPERSEDED" and finding.later_status == "SUCCEEDED":
        return "RESENT"
    return finding.resolution or ""


def explain_kinds(settings: Settings) -> list[tuple[str, str]]:
    """(name, meaning) of everything that the report can find, with the thresholds that are set."""
    stuck = describe_seconds(settings.stuck_after)
    unconfirmed = describe_seconds(settings.unconfirmed_after)
    lifespan = describe_seconds(settings.task_lifespan_days * 86_400)
    return [
        (
            "Posting, change, renewal or closing failed",
            "LinkedIn answered the newest request for the job with an error. A failed change or renewal leaves the job as it was.",
        ),
        ("Not on LinkedIn", "The job should be on LinkedIn, and LinkedIn says that it is not."),
        ("Still on LinkedIn", "The job was closed, and more than an hour later LinkedIn still said that it shows it."),
        ("No answer yet", f"LinkedIn has not said how a request ended {stuck} or more after it was sent."),
        ("Answer lost", f"A request went unanswered for {lifespan}, after which LinkedIn forgets it."),
        ("Request number refused", "LinkedIn does not know the number under which the request was stored."),
        ("Easy Apply off", "The job should be on LinkedIn, and an error keeps candidates from applying on LinkedIn itself."),
        ("Listing or Easy Apply undecided", "LinkedIn has called it in progress for 24 h or more."),
        ("Not confirmed", f"The request succeeded, but LinkedIn has not said for {unconfirmed} that the job is visible."),
        ("Faults before going live", "LinkedIn accepted the job and found faults in it, while the customer is not yet moved over."),
        ("Unknown job", "LinkedIn speaks of a job that was never imported here."),
        ("LinkedIn waits for an update", "LinkedIn asked for the job's current content, and no update was sent within 30 min."),
        ("No word from LinkedIn", "LinkedIn has stopped asking after the webhook, or sending notifications to it."),
    ]
