"""The WebSockets that are open: few per log-in, and none outlives it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp.web import WebSocketResponse

from orchestrator.accounts import Person
from orchestrator.centre import Centre
from web.call import Call
from web.problems import Problem

MOST_PER_LOGIN = 12
LOGGED_OUT = 4401
"""Close code: the log-in ended, or its roles changed."""

_CHECK_EVERY_S = 15.0
_HEARTBEAT_S = 20.0
_LARGEST_MESSAGE = 1 << 20


class Sockets:
    """Keeps open WebSockets by log-in."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._open: dict[str, set[WebSocketResponse]] = {}

    @asynccontextmanager
    async def accept(
        self, call: Call, protocols: tuple[str, ...] = ()
    ) -> AsyncGenerator[WebSocketResponse]:
        """Open the socket of an admitted call; it is closed when the block or the log-in ends."""
        mine = self._open.setdefault(call.person.login, set())
        if len(mine) >= MOST_PER_LOGIN:
            raise Problem("rate_limited", "too many open connections", retry_after_s=10)
        socket = WebSocketResponse(
            protocols=protocols,
            heartbeat=_HEARTBEAT_S,
            compress=False,
            max_msg_size=_LARGEST_MESSAGE,
        )
        mine.add(socket)
        try:
            await socket.prepare(call.request)
            watch = asyncio.create_task(self._watch(call.person, socket), name="watch log-in")
            try:
                yield socket
            finally:
                watch.cancel()
                await asyncio.wait([watch])
                await socket.close()
        finally:
            mine.discard(socket)
            if not mine:
                self._open.pop(call.person.login, None)

    @property
    def count(self) -> int:
        """How many are open."""
        return sum(map(len, self._open.values()))

    async def close_of(self, login: str) -> None:
        """Close every socket of a log-in that ended."""
        for socket in tuple(self._open.get(login, ())):
            await socket.close(code=LOGGED_OUT, message=b"logged out")

    async def close_all(self) -> None:
        """Close every socket: the server goes."""
        for socket in [socket for mine in self._open.values() for socket in mine]:
            await socket.close(code=1001, message=b"the server goes")

    async def _watch(self, person: Person, socket: WebSocketResponse) -> None:
        while True:
            await self._centre.clock.sleep(_CHECK_EVERY_S)
            now = await self._centre.accounts.holder(person.login)
            if now is None or now.roles != person.roles:
                await socket.close(code=LOGGED_OUT, message=b"logged out")
                return
