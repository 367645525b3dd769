"""Reason and next action of every finding that a customer has to act on, turned into words to that customer."""

import re

import pytest

from jobrecon.reconcile.catalog import read_catalog
from jobrecon.reports.customer_words import request_of_customer, turn_to_customer
from models import FINDING_KINDS, Owner

ASKED = [
    *((str(row["meaning"]), str(row["next_action"])) for row in read_catalog() if row["owner"] == "CUSTOMER" and not row["harmless"]),
    *((entry.reason, entry.next_action) for entry in FINDING_KINDS if entry.owner == Owner.CUSTOMER),
]
OPERATIONS = ["as a new job", "as an update", "as a renewal", "in the same way"]
NOT_SAID_TO_A_CUSTOMER = re.compile(
    r"\b([Tt]he customer|[Tt]hey|[Tt]heir|integration team|your system|you \w+s)\b|again (as|in the same)\b"
)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("reason", "next_action"), ASKED)
def test_a_customer_is_spoken_to(reason: str, next_action: str, operation: str) -> None:
    request = request_of_customer(next_action.replace("{as}", operation))
    assert request.startswith("Please ")
    assert not NOT_SAID_TO_A_CUSTOMER.search(f"{turn_to_customer(reason)} {request}"), request


@pytest.mark.parametrize(
    ("next_action", "request_"),
    [
        (
            "Ask the customer to shorten the description, then your integration team sends the job again as an update.",
            "Please shorten the description, then tell us, and we send it again.",
        ),
        (
            "Ask the customer whether they still want this. If not, the customer contacts LinkedIn Support to opt in; your integration "
            "team sends the job again as a new job once that is done.",
            "Please tell us whether you still want this. If not, please contact LinkedIn Support to opt in; we send it again once that is done.",
        ),
        ("Ask the customer to check their payment details.", "Please check your payment details."),
        ("A text nobody has seen.", "A text nobody has seen."),
    ],
)
def test_what_to_do_becomes_a_request(next_action: str, request_: str) -> None:
    assert request_of_customer(next_action) == request_


def test_a_reason_speaks_to_the_customer() -> None:
    assert (
        turn_to_customer("The customer's contract has no budget; your system sent it.")
        == "Your contract has no budget; our system sent it."
    )
