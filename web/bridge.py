"""Bytes between a browser's WebSocket and the broker's TCP port; what they mean is not read."""

import asyncio

from aiohttp import WSMsgType
from aiohttp.web import WebSocketResponse

_CHUNK = 65536


class BrokerDown(Exception):
    """The broker does not take a connection."""


async def bridge(socket: WebSocketResponse, host: str, port: int) -> None:
    """Carry bytes both ways until either side ends; raises BrokerDown before the first byte."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        raise BrokerDown(f"{host}:{port}") from error
    try:
        up = asyncio.ensure_future(_up(socket, writer))
        down = asyncio.ensure_future(_down(reader, socket))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            down.cancel()
            ends = await asyncio.gather(up, down, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, ConnectionError):
                raise end
    finally:
        writer.close()


async def _up(socket: WebSocketResponse, writer: asyncio.StreamWriter) -> None:
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            return
        writer.write(message.data)
        await writer.drain()


async def _down(reader: asyncio.StreamReader, socket: WebSocketResponse) -> None:
    while data := await reader.read(_CHUNK):
        await socket.send_bytes(data)
