"""Records of what of a report was sent, as files beside it, so that each message is sent once however often a run is repeated.

A record is created, atomically and on disk, before a message is handed over, and says `sent` after. A record left at `sending`
belongs to a process that ended in between: whether the message arrived is not known, and it is not sent again.
"""

import json
import os
from enum import StrEnum
from pathlib import Path

from jobrecon.clock import utc_now


class SendState(StrEnum):
    """What the records say of a message."""

    ACQUIRED = "acquired"
    """This process has just created the record and may send the message; no other may."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """A process is sending it, or ended while it was."""


class Outbox:
    """The records of one report, in the folder `mail` beside its pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def acquire(self, name: str) -> SendState:
        """Create the record of the message `name`; `ACQUIRED` is returned once, to one process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(self.record_path(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return self.read_state(name)
        with os.fdopen(file, "w", encoding="utf-8") as record:
            record.write(_describe("sending"))
            record.flush()
            os.fsync(record.fileno())
        _sync_folder(self.folder)
        return SendState.ACQUIRED

    def mark_sent(self, name: str) -> None:
        """The message was handed over."""
        fresh = self.folder / f".{name}.fresh"
        with fresh.open("w", encoding="utf-8") as record:
            record.write(_describe("sent"))
            record.flush()
            os.fsync(record.fileno())
        fresh.replace(self.record_path(name))
        _sync_folder(self.folder)

    def release(self, name: str) -> None:
        """The message was certainly not handed over: the next run may send it."""
        self.record_path(name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget what was sent: every message is new."""
        for record in self.folder.glob("*.json"):
            record.unlink(missing_ok=True)

    def read_state(self, name: str) -> SendState:
        """What became of a message that was acquired."""
        try:
            is_sent = json.loads(self.record_path(name).read_text(encoding="utf-8")).get("state") == "sent"
        except (OSError, ValueError, AttributeError):
            is_sent = False
        return SendState.SENT if is_sent else SendState.UNKNOWN

    def is_new(self, name: str) -> bool:
        """Whether no process has acquired the message yet."""
        return not self.record_path(name).exists()

    def record_path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _describe(state: str) -> str:
    return json.dumps({"state": state, "at": utc_now().isoformat(timespec="seconds")}) + "\n"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
