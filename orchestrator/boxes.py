"""Reaching the boxes: mutual TLS on what was pinned at enrolment."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from sqlalchemy import select

from contract.tls import client_context
from orchestrator.keyring import Keyring
from orchestrator.store import Store
from orchestrator.store.tables import edges

_WITHIN_S = 10


class BoxUnreachable(Exception):
    """A box is unknown, revoked, off or cut off."""


class Boxes:
    """The centre's one HTTP client for boxes."""

    def __init__(self, store: Store, keyring: Keyring, session: aiohttp.ClientSession) -> None:
        self._store = store
        self._keyring = keyring
        self._session = session
        self._contexts: dict[str, ssl.SSLContext] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, store: Store, keyring: Keyring) -> AsyncGenerator["Boxes"]:
        """Make the client; its connections end with it."""
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=64)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            yield cls(store, keyring, session)

    @asynccontextmanager
    async def ask(
        self,
        edge: str,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        streaming: bool = False,
        quiet_s: float = _WITHIN_S,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Ask a box; raises BoxUnreachable.

        Its head must come within 10 s; all of it too, unless it is `streaming`. `quiet_s`: so
        long it may send nothing.
        """
        url, context = await self._where(edge)
        timeout = aiohttp.ClientTimeout(
            total=None if streaming else _WITHIN_S, connect=_WITHIN_S, sock_read=quiet_s
        )
        try:
            async with self._session.request(
                method,
                f"{url}{path}",
                data=body,
                headers=headers,
                ssl=context,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise BoxUnreachable(f"box {edge}: {error or type(error).__name__}") from error

    async def _where(self, edge: str) -> tuple[str, ssl.SSLContext]:
        query = select(edges.c.url, edges.c.certificate).where(
            edges.c.id == edge, edges.c.enrolled_at.is_not(None), edges.c.revoked_at.is_(None)
        )
        async with self._store.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise BoxUnreachable(f"box {edge} is not enrolled")
        context = self._contexts.get(row.certificate)
        if context is None:
            ring = self._keyring
            context = client_context(ring.certificate_path, ring.key_path, row.certificate)
            self._contexts[row.certificate] = context
        return row.url.rstrip("/"), context
