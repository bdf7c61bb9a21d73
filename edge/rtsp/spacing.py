"""Connections begun one after another, not all at once: a switch that comes back must live."""

from contract.clock import Clock


class Spacing:
    """Keeps beginnings behind the same switch apart."""

    def __init__(self, clock: Clock, apart_s: float = 0.1) -> None:
        self._clock = clock
        self._apart_s = apart_s
        self._next: dict[str, float] = {}

    async def wait(self, switch: str) -> None:
        """Wait for this caller's turn behind `switch`."""
        now = self._clock.monotonic()
        turn = max(now, self._next.get(switch, now))
        self._next[switch] = turn + self._apart_s
        if turn > now:
            await self._clock.sleep(turn - now)
