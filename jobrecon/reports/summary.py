"""`summary.json`: the numbers of the report, for programs."""

import dataclasses
import datetime as dt
from typing import Any

from jobrecon.reports.facts import Facts
from jobrecon.reports.verdict import judge


def summarise(facts: Facts) -> dict[str, Any]:
    """The content of `summary.json`. Moments are ISO 8601 with offset, in UTC."""
    return {
        "date": facts.date.isoformat(),
        "verdict": judge(facts).sentence,
        "as_of": facts.as_of.astimezone(dt.UTC).isoformat() if facts.as_of else None,
        "complete": facts.complete,
        "incomplete_reasons": list(facts.incomplete_reasons),
        "jobs": facts.jobs,
        "roll_forward": dataclasses.asdict(facts.roll_forward),
        "open_by_kind": facts.open_by_kind,
        "open_by_owner": facts.open_by_owner,
        "open_by_age": facts.open_by_age,
        "by_account_manager": {name: dataclasses.asdict(movement) for name, movement in facts.by_account_manager.items()},
    }
