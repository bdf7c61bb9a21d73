"""How often one sender may ask: token buckets, bounded in number."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from contract.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """A burst, refilled evenly."""

    burst: int
    per_second: float


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """One bucket per key; the buckets longest unused are forgotten beyond `most`."""

    def __init__(self, rate: Rate, clock: Clock, most: int = 10_000) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_for(self, key: str) -> int:
        """Take a token: 0 when there was one, else the whole seconds until there is."""
        now = self._clock.monotonic()
        bucket = self._buckets.pop(key, None) or _Bucket(self._rate.burst, now)
        bucket.tokens = min(
            self._rate.burst, bucket.tokens + (now - bucket.at) * self._rate.per_second
        )
        bucket.at = now
        self._buckets[key] = bucket
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, math.ceil((1 - bucket.tokens) / self._rate.per_second))
