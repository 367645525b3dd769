"""Challenges: LinkedIn's regular check that the webhook still knows its secret, and so a sign of life."""

from datetime import datetime

from sqlmodel import Field

from models.base import WarehouseTable, utc_field


class WebhookChallenge(WarehouseTable, table=True):
    """One row per challenge of the webhook, by application and second."""

    __tablename__ = "webhook_challenges"

    application_urn: str = Field(primary_key=True, description="Application that was challenged; '' for the parent, or unnamed")
    challenged_at: datetime = utc_field("When LinkedIn challenged it", primary_key=True)
