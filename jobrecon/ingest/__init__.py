"""Bringing tasks and notifications in: from files, from the partner's own database, and from the receiver's inbox."""

from jobrecon.ingest.files import ReadOptions
from jobrecon.ingest.notifications import import_notifications
from jobrecon.ingest.result import ImportResult
from jobrecon.ingest.source import check_source, pull_tasks
from jobrecon.ingest.tasks import import_tasks, retry_rejected

__all__ = ["ImportResult", "ReadOptions", "check_source", "import_notifications", "import_tasks", "pull_tasks", "retry_rejected"]
