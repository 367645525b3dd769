"""How often things happen in the sandbox and how long they take, and the seeded random numbers that decide."""

import hashlib
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

# When a task settles: most in minutes, some in hours, the rest never.
SETTLES_IN_HOURS = 0.13
SETTLES_NEVER = 0.02
MINUTES_MEDIAN_SECONDS, MINUTES_SIGMA = 90.0, 0.8
HOURS_MEDIAN_SECONDS, HOURS_SIGMA = 7200.0, 0.6

# How a task ends; the rest SUCCEEDED.
FAILED = 0.08
PROCESSED = 0.02
PROCESSED_WITH_ERROR = 0.5
ONE_LOCATION_FAILS = 0.1
"""Of a job posted in several locations: each other location, where the first one succeeded."""

# Irregularities of task results, each seen in LinkedIn's own samples.
IN_PROGRESS_WITH_JOB_POSTING = 0.05
OTHER_ID_INSIDE = 0.005
MALFORMED_UUID = 0.005
FAILED_WITHOUT_JOB_ID = 0.1
EXPLICIT_NULLS = 0.2

# Notifications after a task has succeeded.
SILENT_JOB = 0.03
"""Jobs for which no notification is ever sent."""
IN_PROGRESS_FIRST = 0.3
LISTING_STUCK = 0.01
NOTICE_MEDIAN_SECONDS, NOTICE_SIGMA = 20.0, 0.8
LISTED_MEDIAN_SECONDS, LISTED_SIGMA = 120.0, 0.8
CUSTOMER_NOT_MIGRATED = 0.5
"""Of PROCESSED CREATEs: followed by a notification with PENDING_CUSTOMER_MIGRATION."""

NOT_LISTED_OTHERWISE = 0.3
"""Of the other PROCESSED CREATEs: a notification says NOT_LISTED for another reason."""

APPLY_FAILED = 0.08
APPLY_STUCK = 0.01
APPLY_ABSENT = 0.05
APPLY_NOT_REQUESTED = 0.1
"""Healthy jobs without LinkedIn Apply, which LinkedIn reports as an error of the partner."""
APPLY_MEDIAN_SECONDS, APPLY_SIGMA = 300.0, 0.5
PROMOTED = 0.2

# What happens to a listed job later.
TAKEN_DOWN = 0.05
TAKEN_DOWN_MEDIAN_SECONDS, TAKEN_DOWN_SIGMA = 86_400.0, 1.0
COMES_BACK = 0.3
COMES_BACK_MEDIAN_SECONDS, COMES_BACK_SIGMA = 28_800.0, 0.7
LOSES_APPLY = 0.03
LOSES_APPLY_MEDIAN_SECONDS, LOSES_APPLY_SIGMA = 43_200.0, 1.0
LOSES_PROMOTION = 0.1
LOSES_PROMOTION_MEDIAN_SECONDS, LOSES_PROMOTION_SIGMA = 43_200.0, 0.7
RESYNC_REQUESTED = 0.005
RESYNC_MEDIAN_SECONDS, RESYNC_SIGMA = 86_400.0, 0.5
LISTED_AFTER_CLOSE = 0.015
LISTED_AFTER_CLOSE_MEDIAN_SECONDS, LISTED_AFTER_CLOSE_SIGMA = 21_600.0, 0.5

# Shapes of a notification that the documentation leaves open.
FIELDS_INSIDE_INFO = 0.05
DETAILS_ABSENT = 0.2
NUMBER_AS_ID = 0.5
"""Of jobs whose id is a plain number."""


T = TypeVar("T")

NORMAL = NormalDist()


class SeededRandom:
    """A stream of draws that depends on its key alone.

    A hash in counter mode instead of `random.Random`: seeding that costs 10 µs, too slow for a million tasks.
    Every method takes exactly one draw, so a changed rate does not shift what later calls return.
    """

    __slots__ = ("_block", "_blocks", "_key", "_position")

    def __init__(self, *key: object) -> None:
        self._key = "\x1f".join(map(str, key)).encode("utf-8", "surrogatepass")
        self._blocks = 0
        self._block = b""
        self._position = 0

    def draw(self, size: int) -> bytes:
        """The next `size` bytes, at most 64."""
        if self._position + size > len(self._block):
            self._block = hashlib.blake2b(self._key, salt=self._blocks.to_bytes(16, "little")).digest()
            self._blocks += 1
            self._position = 0
        self._position += size
        return self._block[self._position - size : self._position]

    def uniform(self) -> float:
        """A number from 0 up to, but not including, 1."""
        return (int.from_bytes(self.draw(8), "little") >> 11) * 2.0**-53

    def happens(self, probability: float) -> bool:
        return self.uniform() < probability

    def choice(self, among: Sequence[T]) -> T:
        return among[int(self.uniform() * len(among))]

    def weighted_choice(self, among: Sequence[tuple[float, T]]) -> T:
        """One of `among`, with probability proportional to its weight."""
        left = self.uniform() * sum(weight for weight, _ in among)
        for weight, choice in among:
            left -= weight
            if left < 0:
                return choice
        return among[-1][1]

    def lognormal(self, median: float, sigma: float) -> float:
        """A log-normal number around `median`: half below it, a long tail above."""
        return median * math.exp(sigma * NORMAL.inv_cdf(max(self.uniform(), 1e-12)))

    def uuid(self) -> str:
        """A version 4 uuid."""
        digits = self.draw(16).hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
