"""Bytes between a browser's WebSocket and the broker's TCP port; what they mean is not read."""

import asyncio

from aiohttp import WSMsgType
from aiohttp.web import WebSocketResponse

from web.racing import first_of

_CHUNK = 65536


async def bridge(
    socket: WebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes both ways until either side ends."""
    try:
        await first_of(_up(socket, writer), _down(reader, socket))
    except ConnectionError:
        return  # either side may go when it likes
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
