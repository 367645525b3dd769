"""One family of errors. Each says what, why, what is safe and what to do.

JobreconError
├── ConfigurationError     wrong settings or usage; exit status 2
│   └── RunTooOld          a run older than the last one
├── WarehouseError
│   ├── WarehouseLocked    another process holds the warehouse
│   └── PublishFailed      the copy for analysts could not be written
├── LandingUnavailable     the landing database cannot be reached
├── InputError             an input file that cannot be used
├── ReportError            a report that cannot be made
├── DeliveryFailed         a mail or chat message that was not taken; `may_have_arrived`
└── LinkedInError          an answer of LinkedIn's that is no answer to the question; `application_urn`, `status`
    ├── CredentialsRefused no token for these credentials, or the token is not accepted
    ├── AccessDenied       403 or 404 on the resource
    ├── BudgetExhausted    the day's calls are used up
    ├── BatchRefused       400 or 414: some id of the batch is not accepted
    └── LinkedInUnreachable  a passing fault that did not pass
"""

from collections.abc import Sequence


class JobreconError(Exception):
    """What went wrong, in words for a person."""

    exit_status = 1


class ConfigurationError(JobreconError):
    exit_status = 2


class RunTooOld(ConfigurationError):
    pass


class WarehouseError(JobreconError):
    pass


class WarehouseLocked(WarehouseError):
    pass


class PublishFailed(WarehouseError):
    pass


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


class BatchRefused(LinkedInError):
    def __init__(self, message: str, *, task_urns: Sequence[str], application_urn: str = "", status: int | None = None) -> None:
        super().__init__(message, application_urn=application_urn, status=status)
        self.task_urns = list(task_urns)


class LinkedInUnreachable(LinkedInError):
    pass
