"""The log-ins at a broker that asks us about each, as an EMQX does over HTTP."""

import asyncio
import hmac
from collections.abc import Iterable
from typing import Literal

from contract import topics
from orchestrator import logins
from orchestrator.logins import Guest

Act = Literal["publish", "subscribe"]


class AskedBook:
    """Who may log in, and what each may do. Nothing is made at the broker, so nothing is run."""

    def __init__(self, secret: str, guests: Iterable[Guest]) -> None:
        """Only who knows the `secret` may ask."""
        self._secret = secret.encode()
        self._guests = {guest.user: guest for guest in guests}

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def add_edge(self, edge: str, password: str) -> None:
        """Let a box in from now on."""
        self._add(logins.box(edge, password))

    async def remove_edge(self, edge: str) -> None:
        """Let a box in no more, and do nothing more where it is in."""
        self._guests.pop(logins.user_of(edge), None)

    async def add_phone(self, phone: str, password: str) -> None:
        """Let a duty phone in from now on."""
        self._add(logins.phone(phone, password))

    async def remove_phone(self, phone: str) -> None:
        """Let a duty phone in no more, and do nothing more where it is in."""
        self._guests.pop(logins.user_of_phone(phone), None)

    def _add(self, guest: Guest) -> None:
        self._guests[guest.user] = guest

    def knows(self, secret: str) -> bool:
        """True for the broker's own secret."""
        return hmac.compare_digest(secret.encode(errors="replace"), self._secret)

    def may_enter(self, user: str, password: str) -> bool:
        """True for a log-in that stands, with its password."""
        guest = self._guests.get(user)
        return guest is not None and hmac.compare_digest(password.encode(), guest.password.encode())

    def may(self, user: str, act: Act, topic: str) -> bool:
        """True where a log-in that stands may publish to a topic or subscribe to a filter."""
        guest = self._guests.get(user)
        if guest is None:
            return False
        if guest.rights.pattern:  # the centre
            return topic.startswith(f"{topics.ROOT}/")
        return topic in (guest.rights.send if act == "publish" else guest.rights.receive)
