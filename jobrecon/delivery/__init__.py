"""Sending the report: mail and chat, each message once."""

from jobrecon.delivery.deliver import deliver_report

__all__ = ["deliver_report"]
