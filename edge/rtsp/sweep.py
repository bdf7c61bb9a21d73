"""One wake-up for all playing streams: it reads what has gathered."""

from collections.abc import Iterator
from contextlib import contextmanager

from contract.clock import Clock
from edge.rtsp.player import SWEEP_S, Player


class Sweep:
    """Goes over all playing streams in one wake-up, again and again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._players: set[Player] = set()

    @contextmanager
    def over(self, player: Player) -> Iterator[None]:
        """Have this player swept meanwhile."""
        self._players.add(player)
        try:
            yield
        finally:
            self._players.discard(player)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await self._clock.sleep(SWEEP_S)
            for player in tuple(self._players):
                player.sweep()
