"""The ledger's head, signed each hour, for every box to keep."""

import logging
from collections.abc import Awaitable, Callable

import msgspec

from contract.anchors import Anchor
from contract.clock import Clock
from contract.keys import Signed, SigningKey, sign
from contract.retry import keep
from orchestrator.ledger import Ledger
from orchestrator.store import StoreAway

log = logging.getLogger(__name__)

EVERY_S = 3600.0
_SOON_S = 60.0


class Anchoring:
    """Holds the newest anchor. `run` makes them."""

    def __init__(self, ledger: Ledger, key: SigningKey, clock: Clock) -> None:
        self._ledger = ledger
        self._key = key
        self._clock = clock
        self._newest: Signed | None = None

    @property
    def newest(self) -> Signed | None:
        """The newest anchor; None while the ledger is empty."""
        return self._newest

    async def make(self) -> Signed | None:
        """Sign the ledger's head as it is now."""
        head = await self._ledger.head()
        if head is not None:
            anchor = Anchor(row=head.id, hash=head.hash, at=self._clock.now())
            self._newest = msgspec.json.decode(sign(self._key, anchor), type=Signed)
        return self._newest

    async def run(self, send: Callable[[], Awaitable[None]]) -> None:
        """Make one each hour, beginning now, and have it sent, until cancelled."""

        async def forever() -> None:
            while True:
                await self.make()
                await send()
                await self._clock.sleep(EVERY_S if self._newest else _SOON_S)

        await keep("anchors", forever, on=(StoreAway,), clock=self._clock, log=log)
