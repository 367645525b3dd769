"""The sandbox's texts are the documented ones."""

import csv
from pathlib import Path

from jobrecon.sandbox import messages

DOCUMENTED = list(csv.DictReader(Path(__file__).with_name("documented_messages.csv").read_text(encoding="utf-8").splitlines()))


def texts(source: str) -> list[str]:
    if source == "task":
        pools = (*messages.INVALID_CONTENT, *messages.OPERATION_FAILED)
        return [text for _, text in pools] + [*messages.DUPLICATE_CREATE, messages.NON_EXISTING_JOB]
    if source == "listing":
        return [detail.message for _, detail in messages.TAKEN_DOWN] + [messages.NOT_MIGRATED.message]
    if source == "apply":
        return [detail.message for _, detail in (*messages.APPLY_FAILED, *messages.APPLY_LOST)] + [messages.APPLY_BEING_ENABLED.message]
    return [detail.message for _, detail in messages.NOT_PROMOTED] + [messages.PROMOTED.message]


def test_every_documented_message_occurs() -> None:
    missing = [row["match"] for row in DOCUMENTED if not any(row["match"] in text for text in texts(row["source"]))]
    assert missing == []


def test_the_texts_named_outside_the_table_are_the_documented_ones() -> None:
    assert messages.INVALID_EXPIRATION.startswith("Invalid ExpirationDate")
    assert messages.APPLY_NOT_REQUESTED.as_json() == {
        "errorCode": None,
        "errorType": "PARTNER_ERROR",
        "statusMessage": "No attempt to enable LinkedInApply was found for this job.",
    }


def test_every_numbered_apply_error_occurs() -> None:
    numbers = {detail.code for _, detail in (*messages.APPLY_FAILED, *messages.APPLY_LOST)} | {messages.APPLY_BEING_ENABLED.code}
    assert {int(row["code"]) for row in DOCUMENTED if row["source"] == "apply" and row["code"]} <= numbers


def test_no_undocumented_text_occurs() -> None:
    for source in ("task", "listing", "apply", "promotion"):
        matches = [row["match"] for row in DOCUMENTED if row["source"] == source and row["match"]]
        undocumented = [text for text in texts(source) if not any(match in text for match in matches)]
        # 1157 is documented by its number alone.
        assert undocumented == [text for text in undocumented if text.startswith("FREE_APPLICATION_LIMIT_REACHED")]
