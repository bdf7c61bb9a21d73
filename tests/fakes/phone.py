"""A duty phone as the broker sees it, made of nothing but the contract."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from contract import topics
from contract.bus import Arrival, Bus, Will
from contract.clock import SystemClock
from contract.duty import Ack, AckState, AlertState, AlertTold, Presence
from orchestrator.centre import Centre
from orchestrator.phones import PhoneLogin
from tests.fakes.broker import background
from tests.fakes.waiting import until


class FakePhone:
    """Keeps what it is told, and answers when the test says so."""

    def __init__(self, centre: Centre, login: PhoneLogin) -> None:
        self.id = login.phone
        self.told: list[AlertTold] = []
        self.texts: list[str] = []
        here = centre.broker.address.for_user(login.user, login.password)
        gone = msgspec.json.encode(Presence(state="offline"))
        will = Will(topics.duty_presence(self.id), gone)
        self.bus = Bus(here, f"{login.user}-device", SystemClock(), will)

    @asynccontextmanager
    async def on(self) -> AsyncGenerator["FakePhone"]:
        """Connected and present until the end."""
        mine = (topics.duty_alert(self.id), topics.duty_text(self.id))
        async with background(self.bus.run(mine, self._greet, self._hear)):
            await until(lambda: self.bus.is_up)
            yield self

    async def ack(self, alert: str, state: AckState) -> None:
        """Say what became of an alert."""
        payload = msgspec.json.encode(Ack(id=alert, state=state))
        await self.bus.publish(topics.duty_ack(self.id), payload)

    async def gets(self, count: int = 1, seconds: float = 10) -> AlertTold:
        """Wait until so many messages came; gives the last."""
        await until(lambda: len(self.told) >= count, seconds, f"{count} alerts on {self.id}")
        return self.told[count - 1]

    async def sees(self, state: AlertState, seconds: float = 10) -> AlertTold:
        """Wait until an alert came in this state; gives it."""
        await until(lambda: self._in(state), seconds, f"an alert {state} on {self.id}")
        return self._in(state)[0]

    def _in(self, state: AlertState) -> list[AlertTold]:
        return [alert for alert in self.told if alert.state == state]

    async def _greet(self, bus: Bus) -> None:
        here = msgspec.json.encode(Presence(state="online"))
        await bus.publish(topics.duty_presence(self.id), here, retain=True)

    async def _hear(self, arrival: Arrival) -> None:
        if arrival.topic == topics.duty_text(self.id):
            self.texts.append(arrival.payload.decode())
        else:
            self.told.append(msgspec.json.decode(arrival.payload, type=AlertTold))
