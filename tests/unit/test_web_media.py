"""Passing a recording's bytes on."""

from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request, StreamResponse

from orchestrator.recordings import Media
from web.problems import Problem
from web.routes.recordings import pass_on
from web.shares import Shares


def _client(found: Media) -> TestClient[Request, Application]:
    async def answer(request: Request) -> StreamResponse:
        return await pass_on(request, found)

    app = Application()
    app.router.add_get("/", answer)
    return TestClient(TestServer(app))


async def _torn() -> AsyncGenerator[bytes]:
    yield b"a" * 1000
    raise ConnectionResetError("the box went")


async def _whole() -> AsyncIterator[bytes]:
    yield b"a" * 600
    yield b"b" * 400


async def test_what_the_box_sends_arrives_with_its_length() -> None:
    async with _client(Media(206, 1000, "bytes 0-999/5000", _whole())) as client:
        answer = await client.get("/")
        assert (answer.status, answer.content_length) == (206, 1000)
        assert answer.headers["Content-Range"] == "bytes 0-999/5000"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "X-Footage-Source" not in answer.headers
        assert await answer.read() == b"a" * 600 + b"b" * 400


async def test_what_comes_from_the_archive_says_so() -> None:
    async with _client(Media(200, 1000, "", _whole(), is_copy=True)) as client:
        assert (await client.get("/")).headers["X-Footage-Source"] == "archive"


@pytest.mark.parametrize("length", [5000, None])
async def test_a_file_that_breaks_off_never_looks_whole(length: int | None) -> None:
    async with _client(Media(200, length, "", _torn())) as client:
        answer = await client.get("/")
        with pytest.raises(ClientPayloadError):
            await answer.read()


def test_one_person_holds_so_many_and_another_the_same() -> None:
    shares = Shares(1)
    with shares.one_of("a"):
        with shares.one_of("b"), pytest.raises(Problem) as refused, shares.one_of("a"):
            pass
        assert refused.value.code == "rate_limited"
    with shares.one_of("a"):
        pass
