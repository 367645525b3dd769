"""Which messages of a report were sent, as files beside it, so that each is sent once however often a run is repeated.

A record is created, atomically and on disk, before a message is handed over, and says `sent` after. A record left at `sending`
belongs to a process that ended in between: whether the message arrived is not known, and it is not sent again. One that is
`partial` names the recipients that have it: the others are tried again.
"""

import contextlib
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Any

from jobrecon.clock import utc_now


class SendState(StrEnum):
    """What the records say of a message."""

    ACQUIRED = "acquired"
    """This process has just created the record and may send the message; no other may."""
    SENT = "sent"
    PARTIAL = "partial"
    """Sent, but not to all recipients."""
    UNKNOWN = "unknown"
    """A process is sending it, or ended while it was."""


class Outbox:
    """The records of one report, in the folder `mail` beside its pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def acquire(self, name: str) -> SendState:
        """Create the record of the message `name`; `ACQUIRED` is returned once, to one process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.read_state(name) == SendState.PARTIAL:
            # Of several processes one moves it away.
            with contextlib.suppress(FileNotFoundError):
                self.record_path(name).rename(self._moved_path(name))
        try:
            file = os.open(self.record_path(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return self.read_state(name)
        with os.fdopen(file, "w", encoding="utf-8") as record:
            record.write(_encode_record("sending"))
            record.flush()
            os.fsync(record.fileno())
        _sync_folder(self.folder)
        return SendState.ACQUIRED

    def mark_sent(self, name: str) -> None:
        """All recipients have the message."""
        self._replace(name, _encode_record("sent"))

    def mark_partial(self, name: str, accepted: list[str]) -> None:
        """Of the recipients only `accepted` have the message."""
        self._replace(name, _encode_record("partial", accepted=accepted))

    def release(self, name: str) -> None:
        """The message was certainly not handed over: the next run may send it."""
        self.record_path(name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget what was sent: every message is new."""
        for record in [*self.folder.glob("*.json"), *self.folder.glob(".*.partial")]:
            record.unlink(missing_ok=True)

    def read_state(self, name: str) -> SendState:
        """What became of a message that was acquired; `UNKNOWN` also where there is no record."""
        state = self._read(self.record_path(name)).get("state")
        return SendState(state) if state in ("sent", "partial") else SendState.UNKNOWN

    def read_accepted(self, name: str) -> list[str]:
        """The recipients that have a message which not all of them have."""
        record = self._read(self.record_path(name)) or self._read(self._moved_path(name))
        return [str(address) for address in record.get("accepted") or []]

    def is_open(self, name: str) -> bool:
        """Whether there is something to send: no process has acquired the message yet, or not all recipients have it."""
        return not self.record_path(name).exists() or self.read_state(name) == SendState.PARTIAL

    def _replace(self, name: str, text: str) -> None:
        fresh = self.folder / f".{name}.fresh"
        with fresh.open("w", encoding="utf-8") as record:
            record.write(text)
            record.flush()
            os.fsync(record.fileno())
        fresh.replace(self.record_path(name))
        _sync_folder(self.folder)

    def record_path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _moved_path(self, name: str) -> Path:
        """Where the record of a partial message lies until its new one is written."""
        return self.folder / f".{name}.partial"

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}


def _encode_record(state: str, **more: Any) -> str:
    return json.dumps({"state": state, "at": utc_now().isoformat(timespec="seconds"), **more}) + "\n"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
