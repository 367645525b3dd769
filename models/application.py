"""Applications: a customer's credentials at LinkedIn, and who looks after that customer."""

from sqlmodel import Field

from models.base import WarehouseTable


class Customer(WarehouseTable, table=True):
    """One row per application: whose it is and who is its account manager."""

    __tablename__ = "customers"

    application_urn: str = Field(primary_key=True, description="URN of the child application at LinkedIn")
    customer: str = Field(description="Name of the customer, from applications.toml")
    account_manager: str | None = Field(default=None, description="Who looks after the customer")
    account_manager_email: str | None = Field(default=None, description="Where the account manager's report is sent")
    daily_call_limit: int = Field(description="Calls to simpleJobPostingTasks allowed per UTC day")
    retired: bool | None = Field(default=False, description="Whether the application is retired: nothing is polled or expected any more")
