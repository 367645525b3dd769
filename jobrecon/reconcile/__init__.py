"""The heart: one run, stage by stage, from due tasks to findings and the published copy."""

from jobrecon.reconcile.opening import open_reconciliation, reconcile
from jobrecon.reconcile.run import Reconciliation
from jobrecon.reconcile.summary import RunSummary

__all__ = ["Reconciliation", "RunSummary", "open_reconciliation", "reconcile"]
