"""WHAT: the tables of both databases and the shapes on the wire. Importing this declares every table."""

from models.application import Customer
from models.base import LandingTable, WarehouseTable
from models.budget import CallBudget, CallBudgetEntry, LedgerEntry
from models.finding import Facet, Finding, Kind, KnownMessage, Owner, Severity
from models.landing import CachedToken, Challenge, InboxItem, QuarantinedBody
from models.notification import Notification, NotificationDelivery
from models.posting import Expected, JobPosting, Listing
from models.run import RejectedRow, Run, RunState
from models.task import JobTask, Operation, TaskResult, TaskState, TaskStatus, TaskStatusChange

__all__ = [
    "CachedToken",
    "CallBudget",
    "CallBudgetEntry",
    "Challenge",
    "Customer",
    "Expected",
    "Facet",
    "Finding",
    "InboxItem",
    "JobPosting",
    "JobTask",
    "Kind",
    "KnownMessage",
    "LandingTable",
    "LedgerEntry",
    "Listing",
    "Notification",
    "NotificationDelivery",
    "Operation",
    "Owner",
    "QuarantinedBody",
    "RejectedRow",
    "Run",
    "RunState",
    "Severity",
    "TaskResult",
    "TaskState",
    "TaskStatus",
    "TaskStatusChange",
    "WarehouseTable",
]
