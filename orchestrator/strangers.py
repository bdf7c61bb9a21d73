"""Names that nobody has lock as real ones do, so that a lock does not tell who has an account."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.config import SignInConfig


@dataclass(frozen=True, slots=True)
class _Tries:
    failures: int = 0
    locked_until: datetime | None = None


class Strangers:
    """Counts tries of unknown names; the longest unused are forgotten beyond `most`."""

    def __init__(self, rules: SignInConfig, most: int = 1000) -> None:
        self._rules = rules
        self._most = most
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def locked_for(self, name: str, now: datetime) -> timedelta:
        """Give how long the name is still locked; nothing when it is not."""
        until = self._tries.get(name, _Tries()).locked_until
        return until - now if until and now < until else timedelta()

    def fail(self, name: str, now: datetime) -> None:
        """Note a try."""
        failures = self._tries.pop(name, _Tries()).failures + 1
        if failures >= self._rules.most_failures:
            until = now + timedelta(minutes=self._rules.lock_minutes)
            self._tries[name] = _Tries(0, until)
        else:
            self._tries[name] = _Tries(failures)
        while len(self._tries) > self._most:
            self._tries.popitem(last=False)
