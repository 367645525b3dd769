"""Seeded random numbers: the same key gives the same numbers, on every machine and in every order of requests."""

import hashlib
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

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
