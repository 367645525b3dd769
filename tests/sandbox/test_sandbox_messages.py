"""The sandbox says what LinkedIn is documented to say."""

import csv
from pathlib import Path

from jobrecon.sandbox import messages

DOCUMENTED = list(csv.DictReader(Path(__file__).with_name("documented_messages.csv").read_text(encoding="utf-8").splitlines()))


def texts(source):
    if source == "task":
        pools = (*messages.REFUSED_CONTENT, *messages.REFUSED_OPERATION)
        return [text for _, text in pools] + [*messages.DUPLICATE_CREATE, messages.NON_EXISTING_JOB]
    if source == "listing":
        return [detail.message for _, detail in messages.TAKEN_DOWN] + [messages.NOT_MIGRATED.message]
    if source == "apply":
        return [detail.message for _, detail in (*messages.APPLY_REFUSED, *messages.APPLY_LOST)] + [messages.APPLY_BEING_ENABLED.message]
    return [detail.message for _, detail in messages.NOT_PROMOTED] + [messages.PROMOTED.message]


def test_every_documented_message_can_be_said():
    missing = [row["match"] for row in DOCUMENTED if not any(row["match"] in text for text in texts(row["source"]))]
    assert missing == []


def test_every_numbered_apply_error_can_be_said():
    numbers = {detail.code for _, detail in (*messages.APPLY_REFUSED, *messages.APPLY_LOST)} | {messages.APPLY_BEING_ENABLED.code}
    assert {int(row["code"]) for row in DOCUMENTED if row["source"] == "apply" and row["code"]} <= numbers


def test_nothing_is_said_that_is_not_documented():
    for source in ("task", "listing", "apply", "promotion"):
        matches = [row["match"] for row in DOCUMENTED if row["source"] == source and row["match"]]
        undocumented = [text for text in texts(source) if not any(match in text for match in matches)]
        # 1157 is documented by its number alone.
        assert undocumented == [text for text in undocumented if text.startswith("FREE_APPLICATION_LIMIT_REACHED")]
