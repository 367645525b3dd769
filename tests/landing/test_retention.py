"""What is merged and old is deleted from the landing database, and nothing else."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from jobrecon.landing.inbox_reader import read_unmerged
from jobrecon.landing.retention import prune_landing
from models.inbox import ChallengeTime, InboxItem, InboxMerge, QuarantinedBody, ReceivedBody
from tests.webhook.conftest import bodies_of, challenge, land, mark, quarantine, rows_of

SIX = datetime(2026, 3, 1, 6, tzinfo=UTC)
BODY = b'{"type":"JOB_POSTING_STATUS","developerApplicationUrn":1001,"externalJobPostingId":"job-%d"}'


def test_only_what_is_merged_and_old_is_deleted(engine: Engine) -> None:
    for days in (40, 35, 31, 29, 0):
        at = SIX - timedelta(days=days)
        land(engine, BODY % days, at)
        quarantine(engine, b"{%d" % days, "not JSON", at)
        challenge(engine, "", at)
    ids = [row.inbox_id for row in rows_of(engine, InboxItem)]
    mark(engine, [number for number in ids[:1] + ids[2:] if number], SIX)
    assert prune_landing(engine, SIX, 30) == 2 + 3 + 3
    assert [row.external_job_posting_id for row in rows_of(engine, InboxItem)] == ["job-35", "job-29", "job-0"]
    assert len(rows_of(engine, QuarantinedBody)) == len(rows_of(engine, ChallengeTime)) == 2
    assert bodies_of(engine) == [BODY % days for days in (35, 29, 0)]
    assert len(rows_of(engine, ReceivedBody)) == 3
    assert prune_landing(engine, SIX, 30) == 0
    assert prune_landing(engine, SIX + timedelta(days=1), 0) == 2 + 2 + 2
    assert [row.external_job_posting_id for row in rows_of(engine, InboxItem)] == ["job-35"]


def test_many_are_deleted_in_chunks(engine: Engine) -> None:
    land(engine, BODY % 1, SIX, times=4_500)
    mark(engine, [row.inbox_id for batch in read_unmerged(engine, SIX) for row in batch], SIX)
    assert prune_landing(engine, SIX + timedelta(days=31), 30) == 4_500
    assert rows_of(engine, ReceivedBody) == []
    assert rows_of(engine, InboxMerge) == []
