"""Listening on a port, with a log that carries no secrets."""

import asyncio
import errno
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ssl import SSLContext

from aiohttp.abc import AbstractAccessLogger
from aiohttp.web import Application, AppRunner, BaseRequest, StreamResponse, TCPSite

log = logging.getLogger("web.access")

_CLOSE_WITHIN_S = 5.0


class PortInUse(Exception):
    """Another program listens there already."""


class AccessLog(AbstractAccessLogger):
    """One line per request: never the query, which may carry what somebody searched or a token."""

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Say who asked what and how it ended."""
        self.logger.info(
            "%s %s %s %d %d bytes %.0f ms",
            request.remote,
            request.method,
            request.path,
            response.status,
            response.body_length,
            time * 1000,
        )


@asynccontextmanager
async def serve(
    app: Application, host: str, port: int, ssl: SSLContext | None = None
) -> AsyncGenerator[int]:
    """Serve `app` while the block runs; gives the port, chosen when `port` is 0.

    Raises PortInUse, which names the port.
    """
    runner = AppRunner(
        app,
        access_log_class=AccessLog,
        access_log=log,
        shutdown_timeout=_CLOSE_WITHIN_S,
    )
    await runner.setup()
    try:
        await _listen(runner, host, port, ssl)
        yield runner.addresses[0][1]
    finally:
        await asyncio.shield(runner.cleanup())


async def _listen(runner: AppRunner, host: str, port: int, ssl: SSLContext | None) -> None:
    try:
        await TCPSite(runner, host, port, ssl_context=ssl).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} on {host} is in use by another program: choose another port"
            ) from error
        raise
