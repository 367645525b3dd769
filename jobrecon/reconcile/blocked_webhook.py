"""Whether LinkedIn has blocked the partner's webhook: looked up once a day, remembered in the warehouse."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from jobrecon.applications import Parent
from jobrecon.clock import Clock
from jobrecon.errors import LinkedInUnreachable
from jobrecon.linkedin.developer_webhooks import fetch_blocked_webhooks
from jobrecon.linkedin.http import HttpClient
from jobrecon.settings import Settings
from jobrecon.warehouse.connection import Warehouse, stage

LOOK_UP_EVERY = timedelta(days=1)


async def look_up_blocked_webhook(
    warehouse: Warehouse, settings: Settings, parent: Parent | None, engine: Engine, as_of: datetime, clock: Clock
) -> str | None:
    """Ask LinkedIn unless it was asked within a day; a challenge since then is reason to ask a blocked webhook's state again.

    Without the parent application's client id or access nothing changes. Returns a note where LinkedIn gave no response.
    """
    if parent is None or not parent.client_id:
        return None
    known = {name: datetime.fromisoformat(value) for name, value in warehouse.run("runs/select_webhook_state") if value}
    looked_up_at, blocked_since = known.get("webhook_looked_up_at"), known.get("webhook_blocked_since")
    (challenged_at,) = warehouse.run("notifications/select_last_challenge")[0]
    is_recent = looked_up_at and looked_up_at > as_of - LOOK_UP_EVERY
    if is_recent and not (blocked_since and challenged_at and looked_up_at and challenged_at > looked_up_at):
        return None
    try:
        async with HttpClient() as http:
            blocked = await fetch_blocked_webhooks(parent, settings, engine, http, clock)
    except LinkedInUnreachable as error:
        return str(error)
    since = (blocked_since or as_of) if blocked else None
    state = {"webhook_looked_up_at": as_of.isoformat(), "webhook_blocked_since": since.isoformat() if since else ""}
    warehouse.run("runs/merge_warehouse_info", stage("staged_info", [{"name": name, "value": value} for name, value in state.items()]))
    return None
