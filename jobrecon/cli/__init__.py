"""The command line: `jobrecon COMMAND --help` explains each."""

from jobrecon.cli.app import main

__all__ = ["main"]
