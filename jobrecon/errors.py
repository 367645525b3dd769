"""The family of errors. Each message says what failed, why, what is safe and what to do.

JobreconError                 `exit_status` of a command that ends by it
├── ConfigurationError        wrong settings or usage; exit status 2
│   └── RunTooOld             `as_of` lies before the last run's; `last_as_of`
├── WarehouseError            the warehouse cannot be opened, read or written
│   ├── WarehouseLocked       another process has it open for writing; `holder`
│   ├── WarehouseInvalidated  DuckDB closed it after a fatal error; nothing more can be read or written
│   └── PublishFailed         the published copy could not be written; `target`
├── LandingUnavailable        the landing database cannot be reached
├── InputError                an input file that cannot be used
├── ReportError               a report that cannot be written
├── DeliveryFailed            a mail or chat message that was not accepted; `may_have_arrived`
└── LinkedInError             LinkedIn did not serve a request; `application_urn`, `status`
    ├── CredentialsRefused    no token for these credentials, or the token is not accepted
    ├── AccessDenied          403 or 404 on the resource
    ├── BudgetExhausted       the day's calls are used up
    ├── Throttled             LinkedIn protects itself (429); `until`
    ├── VersionRefused        LinkedIn does not serve this version of the API
    ├── BatchRefused          400 or 414: an id of the batch is not accepted; `task_urns`
    └── LinkedInUnreachable   transient errors that lasted
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jobrecon.secrets import redact


class JobreconError(Exception):
    """An error whose message is written for its reader: no traceback is shown, and no known secret."""

    exit_status = 1

    def __str__(self) -> str:
        return redact(super().__str__())


class ConfigurationError(JobreconError):
    exit_status = 2


class RunTooOld(ConfigurationError):
    def __init__(self, message: str, *, last_as_of: datetime) -> None:
        super().__init__(message)
        self.last_as_of = last_as_of


class WarehouseError(JobreconError):
    pass


class WarehouseLocked(WarehouseError):
    def __init__(self, message: str, *, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class WarehouseInvalidated(WarehouseError):
    pass


class PublishFailed(WarehouseError):
    def __init__(self, message: str, *, target: Path) -> None:
        super().__init__(message)
        self.target = target


class LandingUnavailable(JobreconError):
    pass


class InputError(JobreconError):
    pass


class ReportError(JobreconError):
    pass


class DeliveryFailed(JobreconError):
    def __init__(self, message: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class LinkedInError(JobreconError):
    def __init__(self, message: str, *, application_urn: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.application_urn = application_urn
        self.status = status


class CredentialsRefused(LinkedInError):
    pass


class AccessDenied(LinkedInError):
    pass


class BudgetExhausted(LinkedInError):
    pass


class Throttled(LinkedInError):
    def __init__(self, message: str, *, until: datetime, application_urn: str = "", status: int | None = None) -> None:
        super().__init__(message, application_urn=application_urn, status=status)
        self.until = until


class VersionRefused(LinkedInError):
    pass


class BatchRefused(LinkedInError):
    def __init__(self, message: str, *, task_urns: Sequence[str], application_urn: str = "", status: int | None = None) -> None:
        super().__init__(message, application_urn=application_urn, status=status)
        self.task_urns = list(task_urns)


class LinkedInUnreachable(LinkedInError):
    pass
