"""The demo: two days of a fake LinkedIn on this machine."""

from jobrecon.demo.two_days import run_demo

__all__ = ["run_demo"]
