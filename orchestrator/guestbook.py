"""The log-ins at a broker, made and ended through Mosquitto's dynamic-security plugin."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from contract.bus import Arrival, BrokerAddress, Bus, BusDown
from contract.clock import Clock
from orchestrator import logins
from orchestrator.logins import Guest

log = logging.getLogger(__name__)

_ANSWER_WITHIN_S = 5

Answer = dict[str, Any]
"""What the plugin answers to one command."""


class BrokerRefused(Exception):
    """The broker did not take a change of its log-ins."""


class _Client(msgspec.Struct):
    username: str
    textdescription: str = ""


class _Listed(msgspec.Struct):
    clients: tuple[_Client, ...]


class _Said(msgspec.Struct):
    responses: tuple[Answer, ...] = ()


class GuestBook:
    """Who may log in. `run` keeps the broker's own list equal to it."""

    def __init__(
        self,
        admin: BrokerAddress,
        clock: Clock,
        guests: Iterable[Guest],
        is_ours: Callable[[str], bool],
    ) -> None:
        """Of the names at the broker, those that `is_ours` and that nobody here made are ended."""
        self._guests = {guest.user: guest for guest in guests}
        self._is_ours = is_ours
        self._bus = Bus(admin, f"xunkao-{logins.ADMIN}", clock)
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._asked = 0
        self._name = secrets.token_hex(8)
        """Other admins of the broker hear each other's answers."""

    @property
    def is_open(self) -> bool:
        """True while changes reach the broker."""
        return self._bus.is_up

    @property
    def guests(self) -> tuple[Guest, ...]:
        """All who may log in."""
        return tuple(self._guests.values())

    async def run(self) -> None:
        """Stay at the broker and catch up at each connect, until cancelled."""
        await self._bus.run((logins.ANSWERS,), self._catch_up, self._hear)

    async def add_edge(self, edge: str, password: str) -> None:
        """Let a box in from now on, also after every restart of it; raises BrokerRefused."""
        await self._add(logins.box(edge, password))

    async def remove_edge(self, edge: str) -> None:
        """Cut a box's connection and let it in no more."""
        await self._remove(logins.user_of(edge))

    async def add_phone(self, phone: str, password: str) -> None:
        """Let a duty phone in from now on; whoever had its log-in before is cut off.

        Raises BrokerRefused.
        """
        await self._add(logins.phone(phone, password))

    async def remove_phone(self, phone: str) -> None:
        """Cut a duty phone's connection and let it in no more."""
        await self._remove(logins.user_of_phone(phone))

    async def users(self) -> frozenset[str]:
        """Name the log-ins that the broker has; raises BusDown or BrokerRefused."""
        return frozenset(await self._listed())

    async def _add(self, guest: Guest) -> None:
        self._guests[guest.user] = guest
        await self._tell(logins.adding(guest))

    async def _remove(self, user: str) -> None:
        self._guests.pop(user, None)
        try:
            await self._tell(logins.removing(user))
        except BrokerRefused as error:
            log.error("the broker did not end log-in %s: %s", user, error)

    async def _tell(self, commands: list[dict[str, object]]) -> None:
        try:
            await self._ask(commands)
        except BusDown:
            log.info("the broker is away; its log-ins are made anew when it is back")

    async def _catch_up(self, bus: Bus) -> None:
        """Do what was changed while nobody listened; what stands as it should is left alone."""
        del bus
        try:
            await self._make_equal()
        except BrokerRefused as error:  # whoever runs the broker can mend it
            raise BusDown(str(error)) from error

    async def _make_equal(self) -> None:
        listed = await self._listed()
        for user in listed.keys() - self._guests.keys():
            if self._is_ours(user):
                await self._ask(logins.removing(user))
        for user, guest in list(self._guests.items()):
            if listed.get(user) != guest.mark:
                await self._ask(logins.adding(guest))

    async def _listed(self) -> dict[str, str]:
        """Give the broker's log-ins, each with the mark that was left on it."""
        answer = await self._ask([{"command": "listClients", "verbose": True}])
        try:
            listed = msgspec.convert(answer.get("data"), type=_Listed)
        except msgspec.ValidationError as error:
            raise BrokerRefused(f"its list of log-ins cannot be read: {error}") from error
        return {client.username: client.textdescription for client in listed.clients}

    async def _ask(self, commands: list[dict[str, object]]) -> Answer:
        """Send commands and give the last one's answer; raises BusDown or BrokerRefused."""
        self._asked += 1
        token = f"{self._name}.{self._asked}"
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[token] = answer
        numbered = [*commands[:-1], {**commands[-1], "correlationData": token}]
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._bus.publish(logins.CONTROL, msgspec.json.encode({"commands": numbered}))
                return await answer
        except TimeoutError as error:
            raise BusDown("no answer about log-ins") from error
        finally:
            del self._answers[token]

    async def _hear(self, arrival: Arrival) -> None:
        try:
            said = msgspec.json.decode(arrival.payload, type=_Said)
        except msgspec.MsgspecError as error:
            log.warning("ignored what came on %s: %s", arrival.topic, error)
            return
        for response in said.responses:
            answer = self._answers.get(str(response.get("correlationData", "")))
            if answer is None or answer.done():
                continue
            command = str(response.get("command", ""))
            if "error" in response and not command.startswith("delete"):
                answer.set_exception(BrokerRefused(f"{command}: {response['error']}"))
            else:
                answer.set_result(response)
