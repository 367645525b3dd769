"""What LinkedIn says, in notifications and checks, against what was requested: the rules at their boundaries and in their ties."""

from datetime import datetime, timedelta

import pytest

from jobrecon.warehouse import Warehouse
from tests.findings.rows import ACME, NOW, TICK, Row, ago, checked, find, find_each, given, notification, number, read, read_open, task

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = ago(days=3)
CREATED = task("CREATE", "SUCCEEDED", SINCE)
BEFORE = task("CREATE", "SUCCEEDED", ago(days=9))
UPDATED = task("UPDATE", "SUCCEEDED", SINCE)
CLOSED = task("CLOSE", "SUCCEEDED", SINCE)
MIGRATING = task("CREATE", "PROCESSED", SINCE)
LISTED, NOT_LISTED = {"listing_status": "LISTED"}, {"listing_status": "NOT_LISTED"}
UNKNOWN = {"is_known": False}
PENDING = NOT_LISTED | {"listing_message": "PENDING_CUSTOMER_MIGRATION: wait", "listing_error_type": "PARTNER_ERROR"}
INVALID = NOT_LISTED | {"listing_message": "INVALID_LOCATION: where", "listing_error_type": "CUSTOMER_ERROR"}
OFF, ON = {"apply_status": "NOT_ENABLED"}, {"apply_status": "ENABLED"}
NO_ATTEMPT = OFF | {"apply_message": "No attempt to enable LinkedInApply was found for this job.", "apply_error_type": "PARTNER_ERROR"}
PROMOTED, NOT_PROMOTED = {"promotion_status": "PROMOTED"}, {"promotion_status": "NOT_PROMOTED"}
SOON = NOW + 3 * DAY


def unlisted(since: datetime, severity: str = "HIGH", code: str | None = None, evidence: str = "NOTIFICATION") -> tuple[object, ...]:
    return "UNLISTED", severity, since, code, evidence


def again(at: datetime, last: datetime, **values: object) -> Row:
    """A notification delivered twice."""
    return notification(at, last_received_at=last, deliveries=2, **values)


CASES = [
    # The same words said again after an UPDATE are news, first said when they came again.
    ([BEFORE, UPDATED, again(ago(days=5), SINCE, **NOT_LISTED), notification(ago(days=6), **LISTED)], [("UNCONFIRMED", "LOW", SINCE + DAY, None, "ABSENCE")][:0]),
    ([BEFORE, UPDATED, again(ago(days=5), SINCE + TICK, **NOT_LISTED)], [unlisted(SINCE + TICK)]),
    ([BEFORE, UPDATED, again(ago(days=5), SINCE - TICK, **NOT_LISTED)], [("UNCONFIRMED", "LOW", SINCE + DAY, None, "ABSENCE")]),
    ([CREATED, again(SINCE + TICK, NOW + TICK, **NOT_LISTED)], [unlisted(SINCE + TICK)]),
    # A row of statements: notifications and checks that say the same, the newest of all counts.
    ([CREATED, notification(ago(days=2), **NOT_LISTED), checked(ago(days=1), **NOT_LISTED)], [unlisted(ago(days=2), evidence="CHECK")]),
    ([CREATED, notification(ago(days=2), **NOT_LISTED), checked(ago(days=1), **LISTED)], []),
    ([CREATED, checked(ago(days=2), ago(hours=1), **LISTED), notification(ago(days=1), **NOT_LISTED)], []),
    ([CREATED, checked(ago(days=2), **LISTED), notification(ago(days=1), **NOT_LISTED)], [unlisted(ago(days=1))]),
    ([CREATED, notification(ago(days=1), **LISTED), checked(ago(days=1), **NOT_LISTED)], [unlisted(ago(days=1), evidence="CHECK")]),
    ([CREATED, notification(ago(days=1), **NOT_LISTED), checked(ago(days=1), **LISTED)], []),
    ([BEFORE, UPDATED, checked(ago(days=5), ago(days=1), **NOT_LISTED)], [unlisted(ago(days=1), evidence="CHECK")]),
    # LinkedIn knows no such job: more than an hour after the request, and never of a job whose expectation is unknown.
    ([CREATED, checked(SINCE + HOUR, **UNKNOWN)], []),
    ([CREATED, checked(SINCE + HOUR + TICK, **UNKNOWN)], [unlisted(SINCE + HOUR + TICK, code="UNKNOWN_TO_LINKEDIN", evidence="CHECK")]),
    ([CREATED, checked(SINCE + TICK, ago(hours=1), **UNKNOWN)], [unlisted(SINCE + TICK, code="UNKNOWN_TO_LINKEDIN", evidence="CHECK")]),
    ([MIGRATING, checked(ago(days=1), **UNKNOWN)], [("NOT_MIGRATED", "LOW", SINCE, None, "CHECK")]),
    ([CREATED, notification(ago(days=2), **LISTED, **ON), checked(ago(days=1), **UNKNOWN, apply_status="NOT_ENABLED", apply_error_code=1154)],
     [unlisted(ago(days=1), code="UNKNOWN_TO_LINKEDIN", evidence="CHECK")]),
    # Not migrated, and what LinkedIn found wrong meanwhile.
    ([MIGRATING], [("NOT_MIGRATED", "LOW", SINCE, None, "TASK")]),
    ([MIGRATING, notification(SINCE, **LISTED)], [("NOT_MIGRATED", "LOW", SINCE, None, "TASK")]),
    ([MIGRATING, notification(SINCE + TICK, **LISTED)], []),
    ([MIGRATING, notification(ago(days=1), **PENDING)], [("NOT_MIGRATED", "LOW", SINCE, "PENDING_CUSTOMER_MIGRATION", "NOTIFICATION")]),
    ([MIGRATING, notification(ago(days=1), **INVALID)], [unlisted(ago(days=1), "MEDIUM", "INVALID_LOCATION")]),
    ([MIGRATING, notification(SINCE, **INVALID)], [("NOT_MIGRATED", "LOW", SINCE, None, "TASK")]),
    ([MIGRATING, notification(ago(days=1), **NOT_LISTED, listing_error_type="LINKEDIN_ERROR")], [unlisted(ago(days=1), "MEDIUM")]),
    ([MIGRATING, notification(ago(days=1), **NOT_LISTED, listing_error_code=7)], [unlisted(ago(days=1), "MEDIUM", "7")]),
    ([MIGRATING, notification(ago(days=1), **NOT_LISTED, listing_message="")], [("NOT_MIGRATED", "LOW", SINCE, None, "NOTIFICATION")]),
    ([task("CREATE", "PROCESSED", NOW - 14 * DAY)], [("NOT_MIGRATED", "LOW", NOW - 14 * DAY, None, "TASK")]),
    ([task("CREATE", "PROCESSED", NOW - 14 * DAY - TICK)], [("NOT_MIGRATED", "MEDIUM", NOW - 14 * DAY - TICK, None, "TASK")]),
    # The job's time ran out before it was taken down.
    ([CREATED, notification(ago(days=1), **NOT_LISTED, expire_at=ago(days=1))], [unlisted(ago(days=1), "MEDIUM", "EXPIRED_POSTING")]),
    ([CREATED, notification(ago(days=1), **NOT_LISTED, expire_at=ago(days=1) + TICK)], [unlisted(ago(days=1))]),
    ([CREATED, notification(ago(days=1), **INVALID, expire_at=ago(days=2))], [unlisted(ago(days=1), "MEDIUM", "INVALID_LOCATION")]),
    ([CREATED, notification(ago(days=2), **LISTED, expire_at=ago(days=1)), checked(ago(hours=9), **UNKNOWN)],
     [unlisted(ago(hours=9), "MEDIUM", "EXPIRED_POSTING", "CHECK")]),
    # A closed job that is listed still, first said more than an hour later.
    ([BEFORE, CLOSED, again(SINCE + HOUR, SINCE + HOUR + TICK, **LISTED)],
     [("STILL_LISTED", "HIGH", SINCE + HOUR + TICK, None, "NOTIFICATION")]),
    ([BEFORE, CLOSED, notification(SINCE + HOUR, **LISTED), checked(ago(days=1), **LISTED)], [("STILL_LISTED", "HIGH", ago(days=1), None, "CHECK")]),
    # LinkedIn Apply: a harmless message opens nothing, unless it was on before.
    ([CREATED, notification(ago(days=1), **LISTED, **NO_ATTEMPT)], []),
    ([CREATED, notification(ago(days=2), **LISTED, **ON), notification(ago(days=1), **NO_ATTEMPT)],
     [("APPLY_DISABLED", "LOW", ago(days=1), None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=2), **LISTED, **ON), notification(ago(days=1), **OFF)], [("APPLY_DISABLED", "LOW", ago(days=1), None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=5), **ON), notification(SINCE, **LISTED, **OFF)], []),
    ([CREATED, notification(ago(days=5), **ON), again(ago(days=4), SINCE + TICK, **LISTED, **OFF)],
     [("APPLY_DISABLED", "LOW", SINCE + TICK, None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=2), **LISTED, **ON), notification(ago(days=1.5), apply_status="IN_PROGRESS"), notification(ago(days=1), **OFF)], []),
    # Promotion, lost since the row began.
    ([CREATED, notification(ago(days=2), **LISTED, **PROMOTED), notification(ago(days=1), **NOT_PROMOTED), notification(ago(hours=1), **NOT_PROMOTED)],
     [("PROMOTION_LOST", "LOW", ago(days=1), None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=2), **LISTED, **NOT_PROMOTED)], []),
    ([CREATED, notification(ago(days=2), **LISTED, **NOT_PROMOTED), notification(ago(days=1), **PROMOTED)], []),
    ([MIGRATING, notification(ago(days=2), **LISTED, **PROMOTED), notification(ago(days=1), **NOT_PROMOTED)], []),
    # Expiring from three days before, until it has, without a renewal since LinkedIn said so.
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=SOON)], [("EXPIRING", "LOW", NOW, None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=SOON + TICK)], []),
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=NOW + TICK)], [("EXPIRING", "LOW", NOW + TICK - 3 * DAY, None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=NOW)], []),
    ([CREATED, notification(ago(days=2), **LISTED, expire_at=SOON), notification(ago(days=1), **LISTED)], [("EXPIRING", "LOW", NOW, None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=2), **LISTED, expire_at=SOON), checked(ago(days=1), **LISTED, expire_at=SOON + DAY)], []),
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=SOON), task("RENEW", "SUCCEEDED", ago(days=1))],
     [("EXPIRING", "LOW", NOW, None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=SOON), task("RENEW", "SUCCEEDED", ago(days=1) + TICK)], []),
    ([CREATED, again(ago(days=2), ago(hours=1), **LISTED, expire_at=SOON), task("RENEW", "SUCCEEDED", ago(days=1))],
     [("EXPIRING", "LOW", NOW, None, "NOTIFICATION")]),
    ([CREATED, notification(ago(days=1), **LISTED, expire_at=SOON), task("RENEW", "FAILED", ago(hours=1), status_changed_at=ago(hours=1))],
     [("EXPIRING", "LOW", NOW, None, "NOTIFICATION"), ("FAILED", "MEDIUM", ago(hours=1), None, "TASK")]),
    ([CREATED, notification(ago(days=1), listing_status="IN_PROGRESS", expire_at=SOON)], [("STUCK", "MEDIUM", ago(days=1), None, "NOTIFICATION")]),
    # A renewal proves no listing, and moves nothing where the job is expected listed already.
    ([CREATED, notification(SINCE + TICK, **NOT_LISTED), task("RENEW", "SUCCEEDED", ago(days=1))], [unlisted(SINCE + TICK)]),
    ([CREATED, notification(SINCE, **LISTED), task("RENEW", "SUCCEEDED", ago(days=2))], []),
    # A failed CREATE behind a failed UPDATE stays the finding.
    ([task("CREATE", "FAILED", ago(days=4), status_changed_at=ago(days=4)), task("UPDATE", "FAILED", SINCE, status_changed_at=SINCE)],
     [("FAILED", "HIGH", ago(days=4), None, "TASK")]),
    ([task("CREATE", "FAILED", ago(days=4)), task("CLOSE", "SUCCEEDED", ago(days=3.5)), task("RENEW", "FAILED", SINCE, status_changed_at=SINCE)],
     [("FAILED", "MEDIUM", SINCE, None, "TASK")]),
    ([task("CREATE", "FAILED", SINCE, task_urn="a"), task("UPDATE", "FAILED", SINCE, task_urn="b", status_changed_at=ago(days=1))],
     [("FAILED", "HIGH", SINCE + timedelta(minutes=10), None, "TASK")]),
    ([task("CREATE", "FAILED", SINCE, task_urn="b", status_changed_at=SINCE), task("UPDATE", "FAILED", SINCE, task_urn="a")],
     [("FAILED", "HIGH", SINCE, None, "TASK")]),
    ([task("CREATE", "FAILED", ago(days=4), location="Oslo"), task("UPDATE", "FAILED", SINCE, status_changed_at=SINCE)],
     [("FAILED", "HIGH", ago(days=4) + timedelta(minutes=10), None, "TASK"), ("FAILED", "MEDIUM", SINCE, None, "TASK")]),
    # What LinkedIn has said since makes a request without an outcome, or a duplicate, weigh less.
    ([task("CREATE", None, SINCE), notification(SINCE + TICK, **LISTED)], [("STUCK", "LOW", SINCE, None, "TASK")]),
    ([task("CREATE", None, SINCE), notification(SINCE, **LISTED)], [("STUCK", "MEDIUM", SINCE, None, "TASK")]),
    ([task("CLOSE", None, SINCE), notification(SINCE + TICK, **LISTED)], [("STUCK", "MEDIUM", SINCE, None, "TASK")]),
    ([task("CLOSE", None, SINCE), checked(SINCE + TICK, **UNKNOWN)], [("STUCK", "LOW", SINCE, None, "TASK")]),
    ([task("UPGRADE", None, SINCE), notification(SINCE + TICK, **LISTED)], [("STUCK", "MEDIUM", SINCE, None, "TASK")]),
    ([task("CREATE", "FAILED", SINCE, status_changed_at=SINCE, error_message="duplicate creation request"), notification(ago(days=9), **LISTED)],
     [("FAILED", "LOW", SINCE, None, "TASK")]),
    ([task("CREATE", "FAILED", SINCE, status_changed_at=SINCE, error_message="duplicate creation request"), notification(ago(days=1), **NOT_LISTED)],
     [("FAILED", "HIGH", SINCE, None, "TASK")]),
    # Not confirmed: nothing was said at or after what was requested, by notification or check.
    ([CREATED, checked(SINCE - TICK, **LISTED)], [("UNCONFIRMED", "LOW", SINCE + DAY, None, "ABSENCE")]),
    ([CREATED, checked(SINCE, **LISTED)], []),
    ([CREATED, checked(SINCE - HOUR, SINCE, **LISTED)], []),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(opened: Warehouse) -> list[list[Row]]:
    return find_each(opened, [rows for rows, _ in CASES])


@pytest.mark.parametrize(("case", "expected"), number(CASES))
def test_the_newest_statement_is_held_against_what_was_requested(
    found: list[list[Row]], case: int, expected: list[tuple[object, ...]]
) -> None:
    names = ("kind", "severity", "since", "code", "evidence")
    assert sorted(tuple(one[name] for name in names) for one in found[case]) == sorted(expected)


AGES = [
    # rows                                                                                     owner, remedy, words in the action
    ([task("CREATE", None, NOW - DAY)], "LINKEDIN", "WAIT", "Wait"),
    ([task("CREATE", None, NOW - DAY - TICK)], "LINKEDIN", "CONTACT", "support ticket"),
    ([CREATED, notification(NOW - DAY, listing_status="IN_PROGRESS")], "LINKEDIN", "WAIT", "Wait"),
    ([CREATED, notification(NOW - DAY - TICK, listing_status="IN_PROGRESS")], "LINKEDIN", "CONTACT", "support ticket"),
    ([task("CREATE", "PROCESSED", NOW - 14 * DAY)], "LINKEDIN", "WAIT", "notified already"),
    ([task("CREATE", "PROCESSED", NOW - 14 * DAY - TICK)], "PARTNER", "CONTACT", "ask LinkedIn Support"),
    ([task("CREATE", "SUCCEEDED", ago(days=20)), notification(NOW - 14 * DAY, **PENDING)], "LINKEDIN", "WAIT", "notified already"),
    ([task("CREATE", "SUCCEEDED", ago(days=20)), notification(NOW - 14 * DAY - TICK, **PENDING)], "PARTNER", "CONTACT", "ask LinkedIn Support"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "owner", "remedy", "words"), number(AGES))
def test_owner_remedy_and_words_change_with_age(opened: Warehouse, case: int, owner: str, remedy: str, words: str) -> None:
    ((one,),) = find_each(opened, [AGES[case][0]])
    assert (one["owner"], one["remedy"]) == (owner, remedy)
    assert words in one["next_action"]


LIVE = [
    # rows beside the failed request                     operation, is live, end of the reason, remedy, words in the action
    ([notification(**LISTED)], "UPDATE", True, "The job is still live with its earlier content.", "UPDATE", "as an update"),
    ([notification(**NOT_LISTED)], "RENEW", False, "The job is not live.", "RENEW", "as a renewal"),
    ([notification(listing_status="IN_PROGRESS")], "UPDATE", None, "Whether the job is live with its earlier content is not known.", "UPDATE", ""),
    ([], "CREATE", None, "gives no reason.", "CREATE", "as a new job"),
    ([notification(**LISTED)], "CREATE", True, "gives no reason.", "UPDATE", "as an update"),
    ([], "CLOSE", None, "gives no reason.", "CLOSE", "as a closing request"),
    ([], "UPGRADE", None, "gives no reason.", "NONE", ""),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "operation", "is_live", "end", "remedy", "words"), LIVE)
def test_a_failed_request_says_whether_the_job_is_live_and_what_to_send(
    opened: Warehouse, rows: list[Row], operation: str, is_live: bool | None, end: str, remedy: str, words: str
) -> None:
    (found,) = find_each(opened, [[task(operation, "FAILED", ago(minutes=5)), *rows]])
    (one,) = [row for row in found if row["kind"] == "FAILED"]
    assert (one["is_live"], one["remedy"]) == (is_live, remedy)
    assert one["reason"].endswith(end)
    assert words in one["next_action"]


@pytest.mark.parametrize(
    ("message", "fields", "owner"),
    [
        ("Invalid Field: /city, Invalid Field: /postalCode", "city, postal code", "CUSTOMER"),
        ("Invalid Field: /companyApplyUrl, /jobFunctions", "company apply url, job functions", "PARTNER"),
        ("Invalid Field: /location/country is empty", "country", "CUSTOMER"),
        ("Invalid Field: /companyApplyUrl: 'https://example.com/city' is no URL", "company apply url", "PARTNER"),
    ],
)
def test_the_reason_names_the_fields_that_linkedins_message_names(opened: Warehouse, message: str, fields: str, owner: str) -> None:
    ((one,),) = find_each(opened, [[task("CREATE", "FAILED", error_message=message)]])
    assert f"these details: {fields}." in one["reason"]
    assert one["owner"] == owner


def test_since_stays_while_an_episode_lasts_and_the_rest_is_of_the_last_run(warehouse: Warehouse) -> None:
    given(warehouse, [CREATED], [notification(ago(days=2), **NOT_LISTED)])
    find(warehouse, ago(days=1))
    given(warehouse, [task("UPDATE", "SUCCEEDED", ago(hours=5))], [], [], [checked(ago(hours=1), **INVALID)])
    find(warehouse, NOW)
    (one,) = read_open(warehouse)
    assert (one["since"], one["evidence"], one["code"], one["owner"]) == (ago(days=2), "CHECK", "INVALID_LOCATION", "CUSTOMER")


@pytest.mark.parametrize("moment", ["0001-01-01 00:00:00+00", "1601-01-01 00:00:00+00", "9999-12-31 23:00:00+00"])
def test_no_moment_makes_a_run_fail(warehouse: Warehouse, moment: str) -> None:
    at = datetime.fromisoformat(moment)
    given(
        warehouse,
        [
            task(status=status, requested_at=at, task_urn=str(state), state=state)
            for status, state in [(None, "PENDING"), (None, "EXPIRED")]
        ],
        [
            notification(at, **LISTED, expire_at=at),
            notification(ago(days=1), **NOT_LISTED, expire_at=at),
            notification(ago(days=1), **OFF, listed_at=at),
        ],
        [],
        [checked(ago(days=1), **NOT_LISTED, expire_at=at)],
    )
    given(warehouse, [task("CREATE", "SUCCEEDED", at, task_urn="c", external_job_posting_id="job-2")])
    find(warehouse)
    find(warehouse, NOW + DAY)
    for name in ("findings", "job_postings", "posting_changes", "remedies", "open_findings"):
        read(warehouse, f"select * from {name}")


def test_what_changed_on_linkedin_is_a_row_for_each_change_of_what_it_said(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [],
        [
            notification(ago(days=5), **LISTED, **PROMOTED),
            notification(ago(days=4), **LISTED, **ON),
            notification(ago(days=2), **INVALID, **PROMOTED),
        ],
        [],
        [checked(ago(days=3), ago(days=2.5), **LISTED, **NOT_PROMOTED), checked(ago(days=1), **UNKNOWN), checked(ago(hours=1), **LISTED)],
    )
    rows = read(warehouse, "select facet, from_status, to_status, changed_at, source from posting_changes order by changed_at, facet")
    assert [tuple(row.values()) for row in rows] == [
        ("PROMOTION", "PROMOTED", "NOT_PROMOTED", ago(days=3), "CHECK"),
        ("LISTING", "LISTED", "NOT_LISTED", ago(days=2), "NOTIFICATION"),
        ("PROMOTION", "NOT_PROMOTED", "PROMOTED", ago(days=2), "NOTIFICATION"),
        ("LISTING", "NOT_LISTED", "LISTED", ago(hours=1), "CHECK"),
    ]


def test_remedies_are_what_the_partners_system_can_send(warehouse: Warehouse) -> None:
    def job(name: str) -> Row:
        return {"external_job_posting_id": name, "task_urn": f"urn-{name}"}

    given(
        warehouse,
        [
            task("CREATE", "FAILED", ago(days=2), **job("failed"), location="Oslo"),
            task("CREATE", "PROCESSED", ago(days=2), **job("migrating")),
            task("CREATE", "SUCCEEDED", ago(days=2), **job("expiring")),
            task("CREATE", "SUCCEEDED", ago(days=2), **job("gone")),
            task("UPDATE", None, ago(minutes=30), external_job_posting_id="gone", task_urn="urn-sent"),
        ],
        [
            notification(ago(days=1), **LISTED, expire_at=SOON - DAY, external_job_posting_id="expiring"),
            notification(ago(days=1), **NOT_LISTED, external_job_posting_id="gone"),
        ],
    )
    resync = {"delivery_id": "d", "application_urn": ACME, "external_job_posting_id": "", "requested_at": ago(minutes=10), "deliveries": 1}
    warehouse.connection.execute(
        "insert into resync_requests (delivery_id, application_urn, external_job_posting_id, requested_at, due_at, deliveries) "
        "values ($delivery_id, $application_urn, $external_job_posting_id, $requested_at, $requested_at + interval 30 minutes, $deliveries)",
        resync,
    )
    find(warehouse)
    rows = read(warehouse, "select *, finding_id is not null as is_found from remedies order by external_job_posting_id, remedy")
    found = [(row["external_job_posting_id"], row["location"], row["remedy"], row["not_before"], row["is_found"]) for row in rows]
    assert found == [
        ("expiring", None, "RENEW", ago(days=1), True),
        ("expiring", None, "UPDATE", ago(minutes=10), False),
        ("failed", "Oslo", "CREATE", ago(days=2) + timedelta(minutes=10), True),
        ("gone", None, "UPDATE", ago(minutes=30) + DAY, True),
    ]
