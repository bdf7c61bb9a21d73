"""RTSP requests and answers."""

import asyncio

import pytest

from edge.simulator.requests import BadRequest, Request, answer, read_request

ASKED = (
    b"DESCRIBE rtsp://127.0.0.1:554/cam-01/main/ RTSP/1.0\r\nCSeq: 3\r\naccept:  text/sdp\r\n\r\n"
)


async def read(data: bytes) -> Request:
    reader = asyncio.StreamReader(limit=4096)
    reader.feed_data(data)
    reader.feed_eof()
    return await read_request(reader)


async def test_a_request_is_read_with_its_headers_whatever_their_case() -> None:
    request = await read(ASKED)
    assert (request.method, request.path) == ("DESCRIBE", ["cam-01", "main"])
    assert request.headers == {"cseq": "3", "accept": "text/sdp"}


async def test_reports_of_the_viewer_are_skipped() -> None:
    report = b"$\x01\x00\x04abcd"
    assert (await read(report + report + ASKED)).method == "DESCRIBE"


async def test_a_body_is_taken_with_its_request() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"GET_PARAMETER * RTSP/1.0\r\nContent-Length: 5\r\n\r\nhello" + ASKED)
    assert (await read_request(reader)).method == "GET_PARAMETER"
    assert (await read_request(reader)).method == "DESCRIBE"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"PLAY x RTSP/1.0\r\nno colon\r\n\r\n",
        b"PLAY x RTSP/1.0\r\nContent-Length: many\r\n\r\n",
        b"PLAY x RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"A" * 10_000 + b"\r\n\r\n",
    ],
)
async def test_anything_else_is_a_bad_request(data: bytes) -> None:
    with pytest.raises(BadRequest):
        await read(data)


async def test_the_end_is_told_apart_from_a_bad_request() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await read(b"PLAY rtsp://")


def test_an_answer_carries_number_and_length() -> None:
    request = Request("DESCRIBE", "rtsp://h/c/main", {"cseq": "7"})
    text = answer(request, 200, {"Content-Type": "application/sdp"}, "v=0\r\n").decode()
    assert text == (
        "RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Type: application/sdp\r\n"
        "Content-Length: 5\r\n\r\nv=0\r\n"
    )
