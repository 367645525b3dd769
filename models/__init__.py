"""WHAT: the tables of both databases and the shapes on the wire. Importing this declares every table."""

from models.application import Customer
from models.base import LandingTable, WarehouseTable
from models.budget import CallBudget, CallBudgetEntry, CallHour, LedgerEntry
from models.check import PostingCheck
from models.finding import Finding, KnownMessage
from models.finding_kind import BY_KIND_AND_FACET, FINDING_KINDS, Kind
from models.finding_terms import RESOLUTIONS, Evidence, Facet, FindingKind, Owner, Remedy, Severity
from models.inbox import (
    CachedToken,
    Challenge,
    ChallengeTime,
    InboxItem,
    InboxMerge,
    LandingIdentity,
    QuarantinedBody,
    ReceivedBody,
    Silence,
)
from models.notification import Notification, NotificationDelivery, NotificationMerge, ResyncRequest, WebhookChallenge
from models.posting import JobPosting
from models.run import RejectedRow, Run, RunState, WarehouseInfo
from models.task import JobTask, Operation, SettlingHazard, TaskState, TaskStatus, TaskStatusChange
from models.touched import LookAgain, TouchedJob

__all__ = [
    "BY_KIND_AND_FACET",
    "FINDING_KINDS",
    "RESOLUTIONS",
    "CachedToken",
    "CallBudget",
    "CallBudgetEntry",
    "CallHour",
    "Challenge",
    "ChallengeTime",
    "Customer",
    "Evidence",
    "Facet",
    "Finding",
    "FindingKind",
    "InboxItem",
    "InboxMerge",
    "JobPosting",
    "JobTask",
    "Kind",
    "KnownMessage",
    "LandingIdentity",
    "LandingTable",
    "LedgerEntry",
    "LookAgain",
    "Notification",
    "NotificationDelivery",
    "NotificationMerge",
    "Operation",
    "Owner",
    "PostingCheck",
    "QuarantinedBody",
    "ReceivedBody",
    "RejectedRow",
    "Remedy",
    "ResyncRequest",
    "Run",
    "RunState",
    "SettlingHazard",
    "Severity",
    "Silence",
    "TaskState",
    "TaskStatus",
    "TaskStatusChange",
    "TouchedJob",
    "WarehouseInfo",
    "WarehouseTable",
    "WebhookChallenge",
]
