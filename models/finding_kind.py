"""Every kind of finding, defined once: its name, words, severity, owner and how an episode of it can end.

SQL loading, report, mail, documentation and tests read this. A new kind is a member of `Kind`, an entry of `FINDING_KINDS`
and a file in sql/findings/kinds/ that selects the jobs it is true of.
"""

from datetime import timedelta
from enum import StrEnum

from models.finding_terms import Ending, Evidence, Facet, FindingKind, Later, Owner, Remedy, Severity


class Kind(StrEnum):
    """What is wrong."""

    STUCK = "STUCK"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    INVALID = "INVALID"
    UNLISTED = "UNLISTED"
    STILL_LISTED = "STILL_LISTED"
    NOT_MIGRATED = "NOT_MIGRATED"
    APPLY_DISABLED = "APPLY_DISABLED"
    PROMOTION_LOST = "PROMOTION_LOST"
    EXPIRING = "EXPIRING"
    UNCONFIRMED = "UNCONFIRMED"
    UNKNOWN_JOB = "UNKNOWN_JOB"
    RESYNC_DUE = "RESYNC_DUE"
    WEBHOOK_SILENT = "WEBHOOK_SILENT"


def _endings_named_after(fact: str, *values: str) -> tuple[Ending, ...]:
    """Endings whose resolution is the value itself."""
    return tuple(Ending(fact, value, value) for value in values)


_TASK_SETTLED = _endings_named_after("task", "SUPERSEDED", "SUCCEEDED", "FAILED", "PROCESSED", "EXPIRED", "REJECTED")
_DAY = timedelta(days=1)
_NO_LONGER_EXPECTED = (Ending("expected_listing", "NOT_LISTED", "CLOSED"), Ending("expected_listing", "UNKNOWN", "SUPERSEDED"))


FINDING_KINDS: tuple[FindingKind, ...] = (
    FindingKind(
        Kind.FAILED,
        Facet.TASK,
        name="Request failed",
        meaning="The newest request for the job failed. A failed change or renewal leaves the job as it was.",
        reason="The request for this job failed and LinkedIn gives no reason.",
        next_action="Ask your integration team to check what was sent for this job and to send it again {as}. If it fails again "
        "without a reason, open a LinkedIn support ticket.",
        evidence=Evidence.TASK,
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.UNLISTED,
        Facet.LISTING,
        name="Not on LinkedIn",
        meaning="The job should be on LinkedIn, and LinkedIn says that it is not.",
        severity=Severity.HIGH,
        reason="The job should be on LinkedIn but is not, and LinkedIn gives no reason.",
        next_action="Ask your integration team whether your system closed the job, and to send it again as an update if it is "
        "still open. If it stays off without a reason, open a LinkedIn support ticket.",
        remedy=Remedy.UPDATE,
        endings=(Ending("expected_listing", "NOT_LISTED", "CLOSED"), Ending("listing_status", "LISTED", "RELISTED")),
    ),
    FindingKind(
        Kind.STILL_LISTED,
        Facet.LISTING,
        name="Still on LinkedIn",
        meaning="The job was closed, and more than an hour later LinkedIn still said that it shows it.",
        severity=Severity.HIGH,
        reason="The job is closed in your system but still visible on LinkedIn.",
        next_action="Ask your integration team to send the request to close this job again. If it stays visible after that, open a "
        "LinkedIn support ticket.",
        remedy=Remedy.CLOSE,
        endings=(Ending("listing_status", "NOT_LISTED", "UNLISTED"), Ending("listing_status", "IN_PROGRESS", "UNLISTED")),
    ),
    FindingKind(
        Kind.NOT_MIGRATED,
        Facet.LISTING,
        name="Not yet migrated",
        meaning="LinkedIn accepted the job but does not show it: it has not yet moved the customer over from a job feed or career site.",
        severity=Severity.LOW,
        owner=Owner.LINKEDIN,
        reason="LinkedIn accepted the job but does not show it: this customer's jobs still come from a job feed or career site.",
        next_action="Wait: LinkedIn's support has been notified already and moves this customer over within one to two weeks. The job needs no "
        "change.",
        remedy=Remedy.WAIT,
        evidence=Evidence.TASK,
        later=(
            Later(
                timedelta(days=14),
                severity=Severity.MEDIUM,
                owner=Owner.PARTNER,
                next_action="Have your integration team ask LinkedIn Support why this customer is not moved over yet: it should have taken "
                "one to two weeks. The job needs no change.",
                remedy=Remedy.CONTACT,
            ),
        ),
        endings=(
            Ending("expected_listing", "NOT_LISTED", "CLOSED"),
            Ending("expected_listing", "LISTED", "MIGRATED"),
            Ending("listing_status", "LISTED", "LISTED"),
        ),
    ),
    FindingKind(
        Kind.STUCK,
        Facet.TASK,
        name="Still in progress",
        meaning="LinkedIn has not said how a request ended {stuck_after} or more after it was sent.",
        owner=Owner.LINKEDIN,
        reason="LinkedIn has not said how the request for this job ended.",
        next_action="Wait for LinkedIn and do not send the job again meanwhile.",
        remedy=Remedy.WAIT,
        evidence=Evidence.TASK,
        later=(
            Later(
                _DAY,
                next_action="Open a LinkedIn support ticket that names the job and when it was sent: LinkedIn has had it for more than a "
                "day. Do not send the job again before LinkedIn has replied.",
                remedy=Remedy.CONTACT,
            ),
        ),
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.EXPIRED,
        Facet.TASK,
        name="Outcome unknown",
        meaning="LinkedIn did not say how a request ended within {lifespan}, after which it forgets the request.",
        severity=Severity.HIGH,
        reason="LinkedIn never said how the request for this job ended, and forgets requests after 30 days.",
        next_action="Check on LinkedIn whether the job is there and up to date. If it is not as it should be, ask your integration team "
        "to send it again {as}.",
        evidence=Evidence.TASK,
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.REJECTED,
        Facet.TASK,
        name="Task id refused",
        meaning="LinkedIn does not know the task id (URN) under which the request was stored.",
        reason="LinkedIn does not know, or refuses, the task id (URN) that your system stored for this job.",
        next_action="Ask your integration team to check what your system stored when it sent the job. If the id cannot be corrected, "
        "they send the job again {as}.",
        evidence=Evidence.TASK,
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.APPLY_DISABLED,
        Facet.APPLY,
        name="LinkedIn Apply off",
        meaning="The job should be on LinkedIn, and candidates cannot apply on LinkedIn itself: an error keeps them from it, or LinkedIn "
        "switched it off.",
        reason="Candidates can no longer apply to this job on LinkedIn itself, and LinkedIn gives no error.",
        next_action="Ask your integration team to check this job's application questions and the address that receives applications, "
        "correct what is wrong and send the job again as an update.",
        remedy=Remedy.UPDATE,
        endings=(*_NO_LONGER_EXPECTED, Ending("apply_status", "ENABLED", "ENABLED")),
    ),
    FindingKind(
        Kind.STUCK,
        Facet.LISTING,
        name="Listing undecided",
        meaning="LinkedIn has called the listing in progress for 24 h or more.",
        owner=Owner.LINKEDIN,
        reason="LinkedIn has not yet decided whether to show this job.",
        next_action="Wait for LinkedIn's decision: a review takes about one business day, and posting the job again does not speed it up.",
        remedy=Remedy.WAIT,
        later=(
            Later(
                _DAY,
                next_action="Open a LinkedIn support ticket that names the job: LinkedIn has had it in review for more than a day. "
                "Posting the job again does not speed this up.",
                remedy=Remedy.CONTACT,
            ),
        ),
        endings=(*_NO_LONGER_EXPECTED, *_endings_named_after("listing_status", "LISTED", "NOT_LISTED")),
    ),
    FindingKind(
        Kind.STUCK,
        Facet.APPLY,
        name="LinkedIn Apply undecided",
        meaning="LinkedIn has called LinkedIn Apply in progress for 24 h or more.",
        owner=Owner.LINKEDIN,
        reason="LinkedIn has not finished switching on LinkedIn Apply for this job.",
        next_action="Wait for LinkedIn to finish.",
        remedy=Remedy.WAIT,
        later=(
            Later(
                _DAY,
                next_action="Open a LinkedIn support ticket that names the job: LinkedIn Apply has been in progress for more than a day.",
                remedy=Remedy.CONTACT,
            ),
        ),
        endings=(*_NO_LONGER_EXPECTED, *_endings_named_after("apply_status", "ENABLED", "NOT_ENABLED")),
    ),
    FindingKind(
        Kind.EXPIRING,
        Facet.LISTING,
        name="Expiring soon",
        meaning="LinkedIn takes the job down in less than {expiring_within}, and it was not renewed.",
        severity=Severity.LOW,
        reason="The job's time on LinkedIn runs out soon; then LinkedIn takes it down, and it cannot be renewed any more.",
        next_action="Ask the customer whether the job stays open. If so, have your integration team renew it before its time runs out; if "
        "not, there is nothing to do.",
        remedy=Remedy.RENEW,
        endings=(
            *_NO_LONGER_EXPECTED,
            Ending("is_run_out", "true", "RAN_OUT"),
            *_endings_named_after("listing_status", "NOT_LISTED"),
            Ending("listing_status", "IN_PROGRESS", "SUPERSEDED"),
        ),
        else_resolution="RENEWED",
    ),
    FindingKind(
        Kind.PROMOTION_LOST,
        Facet.PROMOTION,
        name="Promotion lost",
        meaning="The job should be on LinkedIn and was promoted, and LinkedIn says that it no longer is.",
        severity=Severity.LOW,
        owner=Owner.CUSTOMER,
        reason="The job was promoted on LinkedIn and is no longer, so fewer people see it.",
        next_action="Ask the customer whether the promotion was ended on purpose. If not, they promote the job again in LinkedIn Recruiter.",
        remedy=Remedy.NO_REMEDY,
        endings=(*_NO_LONGER_EXPECTED, Ending("promotion_status", "PROMOTED", "PROMOTED")),
    ),
    FindingKind(
        Kind.UNCONFIRMED,
        Facet.LISTING,
        name="Not confirmed",
        meaning="The request succeeded, but LinkedIn has not said anything about the listing for {unconfirmed_after}.",
        severity=Severity.LOW,
        reason="The request for this job succeeded, but LinkedIn has said nothing about its listing since.",
        next_action="Look for the job on LinkedIn. If it is not there, ask your integration team to check that LinkedIn's status messages "
        "reach your system and to send the job again as an update.",
        remedy=Remedy.UPDATE,
        evidence=Evidence.ABSENCE,
        endings=(*_NO_LONGER_EXPECTED, Ending("is_confirmed", "true", "CONFIRMED")),
    ),
    FindingKind(
        Kind.INVALID,
        Facet.TASK,
        name="Errors before migration",
        meaning="LinkedIn accepted the job and found errors in it, while the customer is not yet moved over.",
        severity=Severity.LOW,
        reason="LinkedIn finds errors in the job as sent; the customer's jobs still come from a job feed or career site, so none is live "
        "through your system yet.",
        next_action="Ask your integration team to correct what was sent for this job and send it again {as}. It goes live through your system "
        "only once LinkedIn has moved the customer over.",
        evidence=Evidence.TASK,
        endings=_TASK_SETTLED,
    ),
    FindingKind(
        Kind.UNKNOWN_JOB,
        Facet.LISTING,
        name="Unknown job",
        meaning="LinkedIn reports on a job that was never imported here.",
        severity=Severity.LOW,
        reason="LinkedIn reports on a job that was never imported here.",
        next_action="Ask your integration team whether this job is yours. If so, they add it to the import; if not, they find out who sent "
        "it to LinkedIn for this customer.",
        remedy=Remedy.NO_REMEDY,
        else_resolution="IMPORTED",
    ),
    FindingKind(
        Kind.RESYNC_DUE,
        Facet.LISTING,
        name="Update requested by LinkedIn",
        meaning="LinkedIn asked for the job's current content, and no update was sent within 30 min.",
        severity=Severity.HIGH,
        reason="LinkedIn asked for the current content of this job, or of all open jobs of this customer, and your system has not sent it.",
        next_action="Ask your integration team to send an update now: of this job, or of every open job of this customer if none is named. "
        "LinkedIn expects it within 30 minutes of asking.",
        remedy=Remedy.UPDATE,
        endings=(Ending("last_operation", "CLOSE", "CLOSED"),),
        else_resolution="UPDATED",
    ),
    FindingKind(
        Kind.WEBHOOK_SILENT,
        Facet.WEBHOOK,
        name="Webhook silent",
        meaning="LinkedIn has stopped challenging the webhook, or sending notifications to it.",
        severity=Severity.HIGH,
        reason="LinkedIn has stopped sending status messages, so changes to jobs may go unnoticed.",
        next_action="Ask your integration team to run `jobrecon doctor`, to check that LinkedIn can reach the address of the webhook, and to "
        "register it again in LinkedIn's developer portal. LinkedIn does not send again what was missed.",
        remedy=Remedy.CONTACT,
        evidence=Evidence.ABSENCE,
        else_resolution="HEARD",
    ),
)
"""In the order in which reports explain them."""

BY_KIND_AND_FACET: dict[tuple[str, str], FindingKind] = {(entry.kind, entry.facet): entry for entry in FINDING_KINDS}
