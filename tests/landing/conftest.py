"""The landing database's tests use the receiver's fixtures: what lands comes through it."""

from tests.webhook.conftest import clock, engine, serve, stage

__all__ = ["clock", "engine", "serve", "stage"]
