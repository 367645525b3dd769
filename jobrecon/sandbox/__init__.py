"""The sandbox: a fake LinkedIn for demos, tests and benchmarks. It imports nothing of ours but `models`."""

from jobrecon.sandbox.app import create_app, serve_sandbox
from jobrecon.sandbox.applications import SandboxApplication
from jobrecon.sandbox.faults import FaultInjection
from jobrecon.sandbox.world import World

__all__ = ["FaultInjection", "SandboxApplication", "World", "create_app", "serve_sandbox"]
