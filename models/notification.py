"""What LinkedIn sends to the webhook: notifications, at least once and in any order, resync requests, challenges."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from models.base import WarehouseTable, optional_utc_field, utc_field


class NotificationDelivery(WarehouseTable, table=True):
    """One row per delivery that was landed or imported: the raw material of `notifications`."""

    __tablename__ = "notification_deliveries"

    delivery_id: str = Field(primary_key=True, description="Id of the delivery; the same import gives the same id")
    application_urn: str = Field(description="Application named in the body")
    external_job_posting_id: str | None = Field(default=None, description="Job named in the body, if one is")
    type: str = Field(description="Type named in the body")
    received_at: datetime = utc_field("When it was received")
    arrival: int = Field(description="Order of arrival among deliveries received at the same moment", sa_type=BigInteger)
    body_hash: str = Field(description="SHA-256 of the canonical JSON: equal bodies are duplicates")
    payload: Any = Field(
        default=None,
        description="The body as canonical JSON; null: a large one that another delivery of the same content has",
        sa_type=JSON,
    )


class StatusFields(SQLModel):
    """What LinkedIn says of a job, the same in notifications and checks."""

    listing_status: str | None = Field(default=None, description="LISTED, NOT_LISTED or IN_PROGRESS; null: not mentioned")
    listing_error_code: int | None = Field(default=None, description="LinkedIn's number for the listing error", sa_type=BigInteger)
    listing_error_type: str | None = Field(default=None, description="CUSTOMER_ERROR, PARTNER_ERROR or LINKEDIN_ERROR")
    listing_message: str | None = Field(default=None, description="LinkedIn's own text about the listing")
    apply_status: str | None = Field(default=None, description="LinkedIn Apply: ENABLED, NOT_ENABLED or IN_PROGRESS")
    apply_error_code: int | None = Field(default=None, description="LinkedIn's number for the LinkedIn Apply error", sa_type=BigInteger)
    apply_error_type: str | None = Field(default=None, description="CUSTOMER_ERROR, PARTNER_ERROR or LINKEDIN_ERROR")
    apply_message: str | None = Field(default=None, description="LinkedIn's own text about LinkedIn Apply")
    promotion_status: str | None = Field(default=None, description="PROMOTED or NOT_PROMOTED")
    promotion_error_code: int | None = Field(default=None, description="LinkedIn's number for the promotion error", sa_type=BigInteger)
    promotion_error_type: str | None = Field(default=None, description="CUSTOMER_ERROR, PARTNER_ERROR or LINKEDIN_ERROR")
    promotion_message: str | None = Field(default=None, description="LinkedIn's own text about the promotion")
    job_posting_url: str | None = Field(default=None, description="Where a person opens the job")
    company_name: str | None = Field(default=None, description="Company the job is shown under")
    location: str | None = Field(default=None, description="Place the job is shown at")
    alternate_locations: str | None = Field(default=None, description="Further places the job is shown at, separated by '; '")
    listed_at: datetime | None = optional_utc_field("Since when LinkedIn lists the job")
    expire_at: datetime | None = optional_utc_field("When the listing ends")


class Notification(WarehouseTable, StatusFields, table=True):
    """One row per distinct notification: equal bodies in a row about one job are one, counted in `deliveries`."""

    __tablename__ = "notifications"

    notification_id: str = Field(primary_key=True, description="Id of its first delivery")
    application_urn: str = Field(description="Application named in the body")
    external_job_posting_id: str | None = Field(default=None, description="Job named in the body, if one is")
    type: str = Field(description="JOB_POSTING_STATUS, RESYNC_JOBS or another")
    received_at: datetime = utc_field("When its first delivery was received")
    last_received_at: datetime | None = optional_utc_field("When its last delivery was received: from then on LinkedIn said it")
    arrival: int = Field(description="Order of arrival among notifications received at the same moment", sa_type=BigInteger)
    deliveries: int = Field(description="How often it was delivered")
    payload: Any = Field(default=None, description="The body as canonical JSON", sa_type=JSON)


class NotificationMerge(WarehouseTable, table=True):
    """One row per batch of deliveries merged from the landing database, committed with them."""

    __tablename__ = "notification_merges"

    merge_id: str = Field(primary_key=True, description="Id of the batch; the landing database marks its deliveries with it")
    run_id: str = Field(description="Run that merged it")
    merged_at: datetime = utc_field("as_of of that run")


class ResyncRequest(WarehouseTable, table=True):
    """One row per RESYNC_JOBS notification and job it names; the job is '' where it is about all open jobs."""

    __tablename__ = "resync_requests"

    delivery_id: str = Field(primary_key=True, description="First delivery of the request")
    application_urn: str = Field(description="Application whose jobs are to be sent again")
    external_job_posting_id: str = Field(primary_key=True, description="Job to be sent again; '': every open job")
    requested_at: datetime = utc_field("When LinkedIn's request was received")
    due_at: datetime = utc_field("Until when LinkedIn expects the UPDATE: 30 minutes later")
    deliveries: int = Field(description="How often the request was delivered", sa_type=BigInteger)


class WebhookChallenge(WarehouseTable, table=True):
    """One row per challenge of the webhook, by application and second."""

    __tablename__ = "webhook_challenges"

    application_urn: str = Field(primary_key=True, description="Application that was challenged; '' for the parent, or unnamed")
    challenged_at: datetime = utc_field("When LinkedIn challenged it", primary_key=True)
