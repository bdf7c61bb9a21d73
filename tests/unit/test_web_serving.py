"""Listening on a port."""

import logging

import aiohttp
import pytest
from aiohttp.web import Application, Request, Response

from web.serving import PortInUse, serve


async def _hello(_: Request) -> Response:
    return Response(text="hello")


def _app() -> Application:
    app = Application()
    app.router.add_get("/hello", _hello)
    return app


async def test_a_port_in_use_is_named() -> None:
    async with serve(_app(), "127.0.0.1", 0) as port:
        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1"):
            async with serve(_app(), "127.0.0.1", port):
                pass


async def test_the_port_is_free_again_afterwards() -> None:
    async with serve(_app(), "127.0.0.1", 0) as port:
        pass
    async with serve(_app(), "127.0.0.1", port) as again:
        assert again == port


async def test_the_access_log_leaves_the_query_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with (
        serve(_app(), "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/hello?reason=secret") as answer,
    ):
        assert await answer.text() == "hello"
    assert "GET /hello 200" in caplog.text
    assert "secret" not in caplog.text
