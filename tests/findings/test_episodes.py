"""Findings are episodes: opened, seen again, resolved, and opened anew when it is true again."""

from datetime import timedelta

import pytest

from jobrecon.warehouse import Warehouse
from tests.findings.rows import (
    ACME,
    BETA,
    NOW,
    TICK,
    Row,
    ago,
    clear,
    find,
    given,
    notification,
    number,
    place,
    read,
    read_everything,
    read_findings,
    read_open,
    split,
    task,
)  # fmt: skip

SINCE = ago(days=3)
CREATED = task("CREATE", "SUCCEEDED", SINCE, task_urn="created")
LATER = NOW + timedelta(hours=1)

PENDING = task(status=None, requested_at=ago(hours=2), task_urn="pending")
FAILED = task("UPDATE", "FAILED", ago(days=2), task_urn="failed")
CLOSING = task("CLOSE", "SUCCEEDED", ago(minutes=30), task_urn="closing")
UPDATING = task("UPDATE", "SUCCEEDED", ago(minutes=30), task_urn="updating")
UNSURE = task("UPDATE", "PROCESSED", ago(minutes=30), task_urn="unsure")
OFF = {"listing_status": "LISTED", "apply_status": "NOT_ENABLED", "apply_error_code": 1154}
CLOSED = [task("CREATE", "SUCCEEDED", ago(days=9)), task("CLOSE", "SUCCEEDED", SINCE, task_urn="closed")]
MIGRATING = task("CREATE", "PROCESSED", SINCE, task_urn="migrating")
ENDING = {"listing_status": "LISTED", "expire_at": NOW + timedelta(days=1)}
ELSEWHERE = notification(ago(days=9), external_job_posting_id=None, type="RESYNC_JOBS")

SETTLED = {"state": "SETTLED", "status_changed_at": LATER}
WITHOUT_LISTING = notification(SINCE + TICK, listing_status="IN_PROGRESS")

CASES = [
    # first                                                       later                                            kind, facet, resolution
    ([PENDING], [PENDING | SETTLED | {"status": "SUCCEEDED"}], ("STUCK", "TASK", "SUCCEEDED")),
    ([PENDING], [PENDING | SETTLED | {"status": "FAILED"}], ("STUCK", "TASK", "FAILED")),
    ([PENDING], [PENDING | SETTLED | {"status": "PROCESSED"}], ("STUCK", "TASK", "PROCESSED")),
    ([PENDING], [PENDING | SETTLED | {"state": "REJECTED"}], ("STUCK", "TASK", "REJECTED")),
    ([PENDING], [PENDING | SETTLED | {"state": "EXPIRED"}], ("STUCK", "TASK", "EXPIRED")),
    ([PENDING], [UPDATING], ("STUCK", "TASK", "SUPERSEDED")),
    ([PENDING], [task("UPDATE", None, LATER)], ("STUCK", "TASK", "SUPERSEDED")),
    ([PENDING | {"location": "Oslo"}], [UPDATING | {"location": "Oslo"}], ("STUCK", "TASK", "SUPERSEDED")),
    ([PENDING | {"location": "Oslo"}], [PENDING | SETTLED | {"location": "Oslo", "status": "FAILED"}], ("STUCK", "TASK", "FAILED")),
    ([FAILED], [UPDATING], ("FAILED", "TASK", "SUPERSEDED")),
    ([FAILED | {"error_message": "no", "status": "PROCESSED"}], [UPDATING], ("INVALID", "TASK", "SUPERSEDED")),
    ([FAILED | {"status": None, "state": "EXPIRED"}], [UPDATING], ("EXPIRED", "TASK", "SUPERSEDED")),
    ([FAILED | {"status": None, "state": "REJECTED"}], [UPDATING], ("REJECTED", "TASK", "SUPERSEDED")),
    ([CREATED, notification(listing_status="NOT_LISTED")], [notification(NOW, listing_status="LISTED")], ("UNLISTED", "LISTING", "RELISTED")),
    ([CREATED, notification(listing_status="NOT_LISTED")], [CLOSING], ("UNLISTED", "LISTING", "CLOSED")),
    ([CREATED, notification(listing_status="NOT_LISTED")], [UPDATING], ("UNLISTED", "LISTING", "SUPERSEDED")),
    ([CREATED, notification(listing_status="NOT_LISTED")], [UNSURE], ("UNLISTED", "LISTING", "SUPERSEDED")),
    ([*CLOSED, notification(listing_status="LISTED")], [notification(NOW, listing_status="NOT_LISTED")], ("STILL_LISTED", "LISTING", "UNLISTED")),
    ([*CLOSED, notification(listing_status="LISTED")], [UPDATING], ("STILL_LISTED", "LISTING", "SUPERSEDED")),
    ([CREATED, notification(**OFF)], [notification(NOW, apply_status="ENABLED")], ("APPLY_DISABLED", "APPLY", "ENABLED")),
    ([CREATED, notification(**OFF)], [CLOSING], ("APPLY_DISABLED", "APPLY", "CLOSED")),
    ([CREATED, notification(**OFF)], [UPDATING], ("APPLY_DISABLED", "APPLY", "SUPERSEDED")),
    ([CREATED, WITHOUT_LISTING], [notification(listing_status="LISTED")], ("STUCK", "LISTING", "LISTED")),
    ([CREATED, WITHOUT_LISTING], [CLOSING], ("STUCK", "LISTING", "CLOSED")),
    ([CREATED, notification(SINCE + TICK, apply_status="IN_PROGRESS")], [notification(apply_status="ENABLED")], ("STUCK", "APPLY", "ENABLED")),
    ([CREATED, notification(SINCE + TICK, apply_status="IN_PROGRESS")], [notification(apply_status="NOT_ENABLED")], ("STUCK", "APPLY", "NOT_ENABLED")),
    ([CREATED, ELSEWHERE], [notification(listing_status="LISTED")], ("UNCONFIRMED", "LISTING", "CONFIRMED")),
    ([CREATED, ELSEWHERE], [CLOSING], ("UNCONFIRMED", "LISTING", "CLOSED")),
    ([CREATED, ELSEWHERE], [UPDATING], ("UNCONFIRMED", "LISTING", "SUPERSEDED")),
    ([notification(listing_status="LISTED")], [UPDATING], ("UNKNOWN_JOB", "LISTING", "IMPORTED")),
    ([MIGRATING], [notification(NOW, listing_status="LISTED")], ("NOT_MIGRATED", "LISTING", "LISTED")),
    ([MIGRATING], [UPDATING], ("NOT_MIGRATED", "LISTING", "MIGRATED")),
    ([MIGRATING], [CLOSING], ("NOT_MIGRATED", "LISTING", "CLOSED")),
    ([MIGRATING], [notification(NOW, listing_status="NOT_LISTED", listing_error_code=7)], ("NOT_MIGRATED", "LISTING", "SUPERSEDED")),
    ([MIGRATING, notification(listing_status="NOT_LISTED", listing_error_code=7)], [notification(NOW, listing_status="LISTED")],
     ("UNLISTED", "LISTING", "RELISTED")),
    ([CREATED, notification(**ENDING)], [task("RENEW", "SUCCEEDED", NOW)], ("EXPIRING", "LISTING", "RENEWED")),
    ([CREATED, notification(**ENDING)], [notification(NOW, **ENDING | {"expire_at": NOW + timedelta(days=9)})], ("EXPIRING", "LISTING", "RENEWED")),
    ([CREATED, notification(**ENDING | {"expire_at": LATER})], [], ("EXPIRING", "LISTING", "RAN_OUT")),
    ([CREATED, notification(**ENDING)], [notification(NOW, listing_status="NOT_LISTED")], ("EXPIRING", "LISTING", "NOT_LISTED")),
    ([CREATED, notification(**ENDING)], [CLOSING], ("EXPIRING", "LISTING", "CLOSED")),
    ([CREATED, notification(promotion_status="PROMOTED"), notification(promotion_status="NOT_PROMOTED")], [notification(NOW, promotion_status="PROMOTED")],
     ("PROMOTION_LOST", "PROMOTION", "PROMOTED")),
    ([CREATED, notification(promotion_status="PROMOTED"), notification(promotion_status="NOT_PROMOTED")], [CLOSING],
     ("PROMOTION_LOST", "PROMOTION", "CLOSED")),
]  # fmt: skip


@pytest.fixture(scope="module")
def histories(opened: Warehouse) -> list[tuple[list[Row], list[Row]]]:
    """The episodes of each case after a first run and after a later one, in which the later rows are there too, or instead."""
    given(clear(opened), **place([first for first, *_ in CASES]))
    find(opened, NOW)
    before = split(read_findings(opened), len(CASES))
    later = place([later for _, later, _ in CASES])
    urns = [row["task_urn"] for row in later["tasks"]]
    opened.connection.execute("delete from job_tasks where list_contains($urns, task_urn)", {"urns": urns})
    given(opened, **later)
    find(opened, LATER)
    return list(zip(before, split(read_findings(opened), len(CASES)), strict=True))


@pytest.mark.parametrize(("case", "_later", "expected"), number(CASES))
def test_an_episode_ends_when_it_is_no_longer_true_and_says_how(
    histories: list[tuple[list[Row], list[Row]]], case: int, _later: list[Row], expected: tuple[str, str, str]
) -> None:
    kind, facet, resolution = expected
    (opened,), (ended,) = ([row for row in rows if (row["kind"], row["facet"]) == (kind, facet)] for rows in histories[case])
    assert opened["resolved_at"] is None
    assert ended == opened | {"resolved_at": LATER, "resolution": resolution}


def test_an_episode_seen_again_stays_one_and_is_updated_to_what_is_true_now(warehouse: Warehouse) -> None:
    given(warehouse, [CREATED], [notification(ago(hours=9), listing_status="NOT_LISTED", listing_message="MISSING_LOCATION: where?")])
    find(warehouse, NOW)
    (opened,) = read_open(warehouse)
    given(warehouse, [], [notification(NOW, listing_status="NOT_LISTED", listing_message="BLOCKED_COUNTRY: there")],
          [{"application_urn": ACME, "customer": "Acme", "account_manager": "Dana Fox", "daily_call_limit": 10}])  # fmt: skip
    summary = find(warehouse, LATER)
    (seen,) = read_findings(warehouse)
    assert (summary.findings_opened, summary.findings_resolved, summary.findings_open) == (0, 0, 1)
    assert (seen["finding_id"], seen["opened_at"], seen["last_seen_at"]) == (opened["finding_id"], NOW, LATER)
    assert (seen["code"], seen["message"], seen["customer"], seen["since"]) == (
        "BLOCKED_COUNTRY",
        "BLOCKED_COUNTRY: there",
        "Acme",
        opened["since"],
    )


def test_a_failure_after_a_failure_is_the_same_episode_of_another_task(warehouse: Warehouse) -> None:
    given(warehouse, [task("UPDATE", "FAILED", ago(days=2), task_urn="first")])
    find(warehouse, NOW)
    given(warehouse, [task("CLOSE", "FAILED", NOW, task_urn="second")])
    find(warehouse, LATER)
    (row,) = read_findings(warehouse)
    assert (row["task_urn"], row["severity"], row["opened_at"], row["resolved_at"]) == ("second", "HIGH", NOW, None)


def test_what_is_true_again_is_a_new_episode(warehouse: Warehouse) -> None:
    given(warehouse, [CREATED])
    moments = [NOW + timedelta(hours=hours) for hours in range(5)]
    for moment, status in zip(moments, ("NOT_LISTED", "LISTED", "NOT_LISTED", "LISTED", "NOT_LISTED"), strict=True):
        given(warehouse, [], [notification(moment, listing_status=status)])
        find(warehouse, moment)
    episodes = read_findings(warehouse)
    assert [(one["opened_at"], one["last_seen_at"], one["resolved_at"]) for one in episodes] == [
        (moments[0], moments[0], moments[1]),
        (moments[2], moments[2], moments[3]),
        (moments[4], moments[4], None),
    ]
    assert len({one["finding_id"] for one in episodes}) == 3
    assert len({one["finding_key"] for one in episodes}) == 1


def test_one_kind_may_end_while_another_of_the_same_job_opens(warehouse: Warehouse) -> None:
    given(warehouse, [PENDING])
    find(warehouse, NOW)
    warehouse.connection.execute("delete from job_tasks")
    given(warehouse, [PENDING | SETTLED | {"status": "FAILED"}])
    summary = find(warehouse, LATER)
    assert (summary.findings_opened, summary.findings_resolved, summary.findings_open) == (1, 1, 1)
    assert [(one["kind"], one["resolved_at"]) for one in read_findings(warehouse)] == [("STUCK", LATER), ("FAILED", None)]


def test_the_same_moment_again_changes_nothing(warehouse: Warehouse) -> None:
    given(
        warehouse,
        [PENDING | {"external_job_posting_id": f"stuck-{number}", "task_urn": f"urn-{number}"} for number in range(3)]
        + [CREATED, CREATED | {"task_urn": "b", "application_urn": BETA}],
        [
            notification(listing_status="NOT_LISTED"),
            notification(**OFF, application_urn=BETA),
            notification(external_job_posting_id="nobody's"),
        ],
    )
    find(warehouse, NOW - timedelta(days=1))
    find(warehouse, NOW)
    given(warehouse, [CLOSING])
    assert find(warehouse, LATER).findings_resolved == 1
    before = read_everything(warehouse)
    summary = find(warehouse, LATER)
    assert read_everything(warehouse) == before
    assert (summary.findings_opened, summary.findings_resolved) == (0, 0)


def test_findings_of_a_retired_application_end_whatever_could_be_seen(warehouse: Warehouse) -> None:
    given(warehouse, [PENDING, CREATED | {"application_urn": BETA}], [notification(listing_status="NOT_LISTED", application_urn=BETA)])
    find(warehouse, NOW)
    assert len(read_open(warehouse)) == 2
    customers = [{"application_urn": urn, "customer": urn, "daily_call_limit": 1, "retired": urn == ACME} for urn in (ACME, BETA)]
    given(warehouse, customers=customers)
    find(warehouse, LATER, unseen_applications=[ACME], unseen_facets=["LISTING"])
    assert [(one["application_urn"], one["resolution"]) for one in read_findings(warehouse)] == [(ACME, "RETIRED"), (BETA, None)]


def test_a_finding_of_a_rule_that_a_newer_version_changed_ends_and_says_so(warehouse: Warehouse) -> None:
    harmless = notification(
        apply_status="NOT_ENABLED", apply_error_type="PARTNER_ERROR", apply_message="No attempt to enable LinkedInApply was found"
    )
    given(warehouse, [CREATED, CREATED | {"task_urn": "b", "external_job_posting_id": "job-2"}],
          [harmless, notification(listing_status="LISTED"), notification(listing_status="LISTED", apply_status="ENABLED", external_job_posting_id="job-2")])  # fmt: skip
    old = {"finding_id": "x", "kind": "APPLY_DISABLED", "facet": "APPLY", "severity": "MEDIUM", "application_urn": ACME, "reason": "r",
           "owner": "PARTNER", "next_action": "a", "since": SINCE, "opened_at": SINCE, "last_seen_at": SINCE}  # fmt: skip
    for job in ("job-1", "job-2"):
        row = old | {"finding_id": job, "external_job_posting_id": job, "finding_key": f"APPLY_DISABLED|APPLY|{ACME}|{job}"}
        names, marks = ", ".join(row), ", ".join(f"${name}" for name in row)
        warehouse.connection.execute(f"insert into findings ({names}) values ({marks})", row)
    find(warehouse, NOW)
    ended = read(warehouse, "select external_job_posting_id as job, resolution from findings order by job")
    assert [tuple(row.values()) for row in ended] == [("job-1", "RULE_CHANGED"), ("job-2", "ENABLED")]


def test_the_same_history_gives_the_same_ids(warehouse: Warehouse) -> None:
    ids = []
    for _ in range(2):
        warehouse.connection.execute("delete from findings")
        warehouse.connection.execute("delete from job_tasks")
        given(warehouse, [FAILED])
        find(warehouse)
        ids.append(read_findings(warehouse)[0]["finding_id"])
    assert ids[0] == ids[1]


UNSEEN = [
    # unseen applications, facets                                 what is still open afterwards
    ((), (), []),
    ((ACME,), (), [(ACME, "LISTING"), (ACME, "TASK")]),
    ((BETA,), (), [(BETA, "LISTING"), (BETA, "TASK")]),
    ((), ("LISTING", "APPLY"), [(ACME, "LISTING"), (BETA, "LISTING")]),
    ((ACME,), ("LISTING", "APPLY"), [(ACME, "LISTING"), (ACME, "TASK"), (BETA, "LISTING")]),
]


@pytest.mark.parametrize(("applications", "facets", "still_open"), UNSEEN)
def test_what_could_not_be_seen_is_not_resolved(
    warehouse: Warehouse, applications: tuple[str, ...], facets: tuple[str, ...], still_open: list[tuple[str, str]]
) -> None:
    for urn in (ACME, BETA):
        of = {"application_urn": urn}
        given(
            warehouse,
            [CREATED | of | {"task_urn": f"a{urn}"}, FAILED | of | {"task_urn": f"b{urn}", "external_job_posting_id": "job-2"}],
            [notification(listing_status="NOT_LISTED", **of)],
        )
    find(warehouse, NOW)
    assert len(read_open(warehouse)) == 4
    for urn in (ACME, BETA):
        newer = {"application_urn": urn, "external_job_posting_id": "job-2", "task_urn": f"c{urn}"}
        given(warehouse, [UPDATING | newer], [notification(NOW, listing_status="LISTED", application_urn=urn)])
    find(warehouse, LATER, unseen_applications=applications, unseen_facets=facets)
    assert sorted((one["application_urn"], one["facet"]) for one in read_open(warehouse)) == still_open
    # What was not seen is not said to have been seen.
    assert {one["last_seen_at"] for one in read_open(warehouse)} <= {NOW}
    find(warehouse, LATER + TICK)
    assert read_open(warehouse) == []


def test_what_is_true_is_opened_and_seen_also_where_not_everything_could_be_seen(warehouse: Warehouse) -> None:
    given(warehouse, [PENDING])
    find(warehouse, NOW, unseen_applications=[ACME])
    find(warehouse, LATER, unseen_applications=[ACME], unseen_facets=["LISTING", "APPLY"])
    (row,) = read_open(warehouse)
    assert (row["kind"], row["opened_at"], row["last_seen_at"]) == ("STUCK", NOW, LATER)


def test_a_run_over_many_jobs_keeps_one_open_episode_per_key(warehouse: Warehouse) -> None:
    jobs = [f"job-{number}" for number in range(500)]
    given(warehouse, [task("CREATE", "FAILED", task_urn=f"old {job}", external_job_posting_id=job) for job in jobs])
    assert find(warehouse, NOW).findings_opened == 500
    given(warehouse, [task("UPDATE", "SUCCEEDED", NOW, task_urn=f"new {job}", external_job_posting_id=job) for job in jobs[::2]])
    assert find(warehouse, LATER).findings_resolved == 250
    doubled = read(warehouse, "select finding_key from findings where resolved_at is null group by all having count(*) > 1")
    assert (doubled, len(read_open(warehouse))) == ([], 250)
