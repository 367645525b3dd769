"""The landing database: inbox, quarantine, tokens and challenges. The ledger stands in budget.py."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, text
from sqlmodel import Field

from models.base import LandingTable, optional_utc_field, utc_field


class InboxItem(LandingTable, table=True):
    """One row per landed delivery, retained for a while after the warehouse has committed it."""

    __tablename__ = "inbox"
    # Small however much has been merged, and in the order of reading.
    __table_args__ = (
        Index(
            "inbox_unmerged", "received_at", "inbox_id", sqlite_where=text("merged_at is null"), postgresql_where=text("merged_at is null")
        ),
    )

    inbox_id: int | None = Field(default=None, primary_key=True, description="Order of arrival")
    delivery_id: str = Field(unique=True, description="Id of the delivery, the same in the warehouse")
    received_at: datetime = utc_field("When it was received")
    application_urn: str = Field(description="Application named in the body")
    external_job_posting_id: str | None = Field(default=None, sa_type=Text, description="Job named in the body")
    type: str = Field(sa_type=Text, description="Type named in the body")
    body_hash: str = Field(description="SHA-256 of the canonical JSON")
    raw_hash: str | None = Field(default=None, description="SHA-256 of the body as received: its row in `bodies`")
    signed_by: str = Field(description="Which configured secret and which form of the body matched, never the secret")
    merged_at: datetime | None = optional_utc_field("When the warehouse had committed it")
    merge_id: str | None = Field(default=None, description="The merge in which the warehouse committed it")


class ReceivedBody(LandingTable, table=True):
    """One row per distinct body, however often it was delivered."""

    __tablename__ = "bodies"
    __table_args__ = (Index("bodies_last_received", "last_received_at"),)

    raw_hash: str = Field(primary_key=True, description="SHA-256 of the body as received")
    last_received_at: datetime = utc_field("When it was last received")
    receipts: int = Field(default=1, description="How often it was received")
    payload: str = Field(sa_type=Text, description="The body as canonical JSON")
    body: bytes = Field(sa_type=LargeBinary, description="The body as received")


class InboxMerge(LandingTable, table=True):
    """One row per batch of deliveries that a warehouse committed. A warehouse that does not know it has lost them."""

    __tablename__ = "inbox_merges"

    merge_id: str = Field(primary_key=True)
    shard: str = Field(default="", description="Shard whose warehouse merged it")
    run_id: str = Field(description="Run that merged it")
    merged_at: datetime = utc_field("When the warehouse had committed it")


class LandingIdentity(LandingTable, table=True):
    """One row: what tells this landing database from another one, such as a new one in its place."""

    __tablename__ = "landing_identity"

    landing_id: str = Field(primary_key=True)


class QuarantinedBody(LandingTable, table=True):
    """One row per distinct signed body that could not be parsed."""

    __tablename__ = "quarantine"

    quarantine_id: int | None = Field(default=None, primary_key=True)
    received_at: datetime = utc_field("When it was first received")
    reason: str = Field(sa_type=Text, description="Why it could not be parsed")
    body: bytes = Field(sa_type=LargeBinary, description="The body as received")
    signed_by: str = Field(description="Which configured secret and which form of the body matched")
    raw_hash: str | None = Field(default=None, unique=True, description="SHA-256 of the body")
    receipts: int | None = Field(default=1, description="How often it was received")


class CachedToken(LandingTable, table=True):
    """One row per application: its access token, shared by all runs until it expires."""

    __tablename__ = "tokens"

    application_urn: str = Field(primary_key=True)
    access_token: str = Field(sa_type=Text)
    obtained_at: datetime = utc_field("When it was obtained")
    expires_at: datetime = utc_field("When it ends")


class Challenge(LandingTable, table=True):
    """One row per challenged application ('' for the parent or unnamed): when LinkedIn last challenged it."""

    __tablename__ = "challenges"

    application_urn: str = Field(primary_key=True)
    challenged_at: datetime = utc_field("When LinkedIn last challenged the webhook")
    challenge_count: int = Field(default=0, description="How often it did")


class ChallengeTime(LandingTable, table=True):
    """One row per challenge: who was challenged, and in which second. Retained as long as raw bodies are."""

    __tablename__ = "challenge_times"

    application_urn: str = Field(primary_key=True, description="Application that was challenged; '' for the parent, or unnamed")
    challenged_at: datetime = utc_field("When LinkedIn challenged the webhook", primary_key=True)


class Silence(LandingTable, table=True):
    """One row per silence that the last run found, so that receivers' metrics can show it: '' for missing challenges."""

    __tablename__ = "silences"

    application_urn: str = Field(primary_key=True, description="Application that gets no notifications any more; '' for challenges")
    since: datetime = utc_field("When the last challenge or notification came")
