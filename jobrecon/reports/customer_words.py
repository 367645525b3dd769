"""What an account manager writes to a customer: the reason and the next action of a finding, turned from her to them."""

import re

REQUESTS = (
    ("Ask the customer to ", "Please ", "tell us, and we send it again"),
    ("Ask the customer whether ", "Please tell us whether ", "we send it again"),
    ("Ask the customer which ", "Please tell us which ", "we send it again"),
)
"""How an action begins, how the request does, and who sends what once the customer has done it."""

SENDING = re.compile(
    r"your integration team (corrects anything else it names and )?sends (the job|it|this job and any others stopped for the same reason) "
    r"again (as a new job|as an update|as a renewal|in the same way)( with it)?"
)
VERBS = {"asks": "ask", "closes": "close", "contacts": "contact", "has": "have", "talks": "talk"}
PERSONS = (
    # The account manager's company first: what becomes "your" after it is the customer's.
    (r"\byour (system|integration team)\b", r"our \1"),
    (r"\b(?:the customer|they) (correct|contact|add|check|promote|set)\b", r"please \1"),
    (r"\bthe customer has asked\b", "you have asked"),
    (rf"\bthe customer ({'|'.join(VERBS)})\b", lambda found: f"please {VERBS[found[1]]}"),
    (r"\b(and|or) to (?=[a-z])", r"\1 "),
    (r"\b(the customer|this customer)’?'?s\b|\btheir\b", "your"),
    (r"\b(?:the customer|this customer|they)\b", "you"),
    (r"\bThe customer's\b", "Your"),
)


def request_of_customer(next_action: str) -> str:
    """The next action as a request to the customer."""
    for beginning, request, sending in REQUESTS:
        if next_action.startswith(beginning):
            return request + turn_to_customer(SENDING.sub(sending, next_action.removeprefix(beginning)))
    return turn_to_customer(next_action)


def turn_to_customer(text: str) -> str:
    """A text about the customer, as it is said to the customer."""
    for pattern, words in PERSONS:
        text = re.sub(pattern, words, text)
    return text
