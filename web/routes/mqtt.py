"""The broker, for pages: a byte bridge for whoever is logged in; the broker has its own log-in."""

import asyncio

from aiohttp.web import StreamResponse

from web.bridge import bridge
from web.call import Call
from web.endpoint import Endpoint, Gate
from web.keys import SOCKETS
from web.problems import Problem

_CONNECT_WITHIN_S = 5.0


async def mqtt(call: Call) -> StreamResponse:
    """Join the WebSocket to the broker's port."""
    address = call.centre.broker.address
    try:
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=address.tls()
            )
    except (OSError, TimeoutError) as error:
        raise Problem("not_ready", "the broker takes no connection now") from error
    try:
        async with call.request.app[SOCKETS].accept(call, ("mqtt",)) as socket:
            await bridge(socket, reader, writer)
    finally:
        writer.close()
    return socket


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/mqtt",
        handle=mqtt,
        needs=Gate.LOGGED_IN,
        summary="WebSocket, subprotocol mqtt: MQTT 3.1.1 to the broker, with a log-in of its own",
        status=101,
        websocket=True,
        errors=("not_ready", "rate_limited"),
    ),
)
