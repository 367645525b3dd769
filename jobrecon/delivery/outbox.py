"""What of a report was sent, as files beside it, so that each message goes out once however often a run is tried again.

A record is made, atomically and on disk, before a message is handed over, and says `sent` after. A record that was left at
`sending` belongs to a process that ended in between: whether the message arrived is not known, and it is not sent again.
"""

import json
import os
from enum import StrEnum
from pathlib import Path

from jobrecon.clock import utc_now


class Claim(StrEnum):
    """Whose turn it is to send a message."""

    OURS = "ours"
    SENT = "sent"
    DOUBTFUL = "doubtful"


class Outbox:
    """The records of one report, in the folder `mail` beside its pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self, name: str) -> Claim:
        """Take the message `name` for sending; `OURS` is told once, to one process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(self.find_record(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return self.look(name)
        with os.fdopen(file, "w", encoding="utf-8") as record:
            record.write(_describe("sending"))
            record.flush()
            os.fsync(record.fileno())
        _sync(self.folder)
        return Claim.OURS

    def confirm(self, name: str) -> None:
        """The message was handed over."""
        fresh = self.folder / f".{name}.fresh"
        with fresh.open("w", encoding="utf-8") as record:
            record.write(_describe("sent"))
            record.flush()
            os.fsync(record.fileno())
        fresh.replace(self.find_record(name))
        _sync(self.folder)

    def release(self, name: str) -> None:
        """The message was certainly not handed over: the next try may."""
        self.find_record(name).unlink(missing_ok=True)

    def look(self, name: str) -> Claim:
        """What became of a message that somebody took."""
        return Claim.SENT if self._read_state(name) == "sent" else Claim.DOUBTFUL

    def is_open(self, name: str) -> bool:
        """Whether nobody has taken the message yet."""
        return not self.find_record(name).exists()

    def find_record(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _read_state(self, name: str) -> str:
        try:
            return str(json.loads(self.find_record(name).read_text(encoding="utf-8")).get("state"))
        except (OSError, ValueError, AttributeError):
            return ""


def _describe(state: str) -> str:
    return json.dumps({"state": state, "at": utc_now().isoformat(timespec="seconds")}) + "\n"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
