"""The landing database: inbox, quarantine, challenges; the call ledger and tokens lie in it too."""

from jobrecon.landing.database import explain_landing_errors, open_landing

__all__ = ["explain_landing_errors", "open_landing"]
