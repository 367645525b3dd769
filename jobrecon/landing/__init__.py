"""The landing database: what must be durable at once. Notifications, the call ledger, tokens, challenges."""

from jobrecon.landing.database import explain_landing_errors, open_landing

__all__ = ["explain_landing_errors", "open_landing"]
