"""What is going to happen in the sandbox's world: an agenda in order of time, and the entries it holds."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

from jobrecon.sandbox.applications import ApplicationState
from jobrecon.sandbox.jobs import Facet, Job
from jobrecon.sandbox.tasks import Task


@dataclass(slots=True)
class Settlement:
    """A task takes effect on its job."""

    state: ApplicationState
    task: Task


@dataclass(slots=True)
class Change:
    """What LinkedIn shows of a job changes, unless an operation took effect in between."""

    state: ApplicationState
    job: Job
    generation: int
    only_while: str | None = None
    """Happens only while the listing status is this."""
    listing: Facet | None = None
    apply: Facet | None = None
    promotion: Facet | None = None
    is_resync: bool = False


@dataclass(slots=True)
class Delivery:
    """A notification to send."""

    state: ApplicationState
    external_id: str
    body: bytes
    is_escaped_signed: bool = False
    is_parent_signed: bool = False
    attempts: int = 0


@dataclass(slots=True)
class ChallengeRound:
    """Time to challenge an application's webhook."""

    state: ApplicationState


Event = Settlement | Change | Delivery | ChallengeRound


class Agenda:
    """Events in order of time, then of entry."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Event]] = []
        self._entries = itertools.count()

    def add(self, at: float, event: Event) -> None:
        heapq.heappush(self._heap, (at, next(self._entries), event))

    def next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[float, Event]:
        at, _, event = heapq.heappop(self._heap)
        return at, event
