"""What a broker asks that keeps no log-ins of ours itself."""

from typing import Annotated, Literal

from aiohttp.web import Response
from msgspec import Meta

from orchestrator.askedbook import AskedBook
from web.call import Call
from web.endpoint import BASE, Endpoint, Gate, reply
from web.problems import Problem
from web.shapes import Answer, Request

SECRET_HEADER = "X-Xunkao-Broker"
"""Carries what the broker alone knows."""

Text = Annotated[str, Meta(max_length=1024)]


class Entering(Request, frozen=True, kw_only=True):
    """Somebody logs in at the broker."""

    username: Text
    password: Text


class Doing(Request, frozen=True, kw_only=True):
    """Somebody who is in publishes or subscribes."""

    username: Text
    action: Literal["publish", "subscribe"]
    topic: Text


class Leave(Answer, frozen=True, kw_only=True):
    """Whether the broker lets it be."""

    result: Literal["allow", "deny"]


async def enter(call: Call) -> Response:
    """Say whether a log-in stands."""
    book = _book(call)
    asked = await call.body(Entering)
    return _leave(book.may_enter(asked.username, asked.password))


async def do(call: Call) -> Response:
    """Say whether a log-in may do this."""
    book = _book(call)
    asked = await call.body(Doing)
    return _leave(book.may(asked.username, asked.action, asked.topic))


def _leave(is_given: bool) -> Response:
    return reply(Leave(result="allow" if is_given else "deny"))


def _book(call: Call) -> AskedBook:
    """Give the book to the broker alone; where none is kept, there is nothing here."""
    book = call.centre.broker.book
    if not isinstance(book, AskedBook):
        raise Problem("no_such")
    if not book.knows(call.request.headers.get(SECRET_HEADER, "")):
        raise Problem("forbidden")
    return book


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=f"{BASE}/broker/auth",
        handle=enter,
        needs=Gate.PUBLIC,
        summary=f"A broker asks whether a log-in stands; with `{SECRET_HEADER}`",
        takes=Entering,
        gives=Leave,
        errors=("forbidden", "no_such"),
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/broker/acl",
        handle=do,
        needs=Gate.PUBLIC,
        summary=f"A broker asks what a log-in may do; with `{SECRET_HEADER}`",
        takes=Doing,
        gives=Leave,
        errors=("forbidden", "no_such"),
    ),
)
