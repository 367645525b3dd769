"""What a run says of itself in a line."""

import pytest

from jobrecon.reconcile.summary import RunSummary
from tests.findings.rows import NOW


@pytest.mark.parametrize(("delay", "is_compared"), [(20.0, False), (300.0, True), (450.0, True)])
def test_the_delay_is_compared_with_the_least_possible_where_it_can_be(delay: float, is_compared: bool) -> None:
    summary = RunSummary(run_id="run-1", as_of=NOW, started_at=NOW)
    summary.detection_delay_mean_seconds = summary.detection_delay_p95_seconds = delay
    summary.delay_bound_seconds = 300.0
    assert ("times the least possible" in summary.polling_sentence) is is_compared
