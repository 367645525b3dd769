"""Sending the report: mail and chat, each message once."""
