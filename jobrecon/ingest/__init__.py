"""Bringing tasks and notifications in from files and from the partner's own database."""

from jobrecon.ingest.files import ImportResult
from jobrecon.ingest.notifications import import_notifications
from jobrecon.ingest.source import pull_tasks
from jobrecon.ingest.tasks import import_tasks

__all__ = ["ImportResult", "import_notifications", "import_tasks", "pull_tasks"]
