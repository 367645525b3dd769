"""Bringing tasks and notifications in from files and from the partner's own database."""

from jobrecon.imports.files import ImportResult
from jobrecon.imports.notifications import import_notifications
from jobrecon.imports.source import pull_tasks
from jobrecon.imports.tasks import import_tasks

__all__ = ["ImportResult", "import_notifications", "import_tasks", "pull_tasks"]
