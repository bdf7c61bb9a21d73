"""A route as a value: who may call it, what it takes and gives."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import msgspec
from aiohttp.web import Response, StreamResponse

from orchestrator.access import Action
from web.call import Call, Nothing

BASE = "/api/v1"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)
A = TypeVar("A", bound=msgspec.Struct)


class Gate(Enum):
    """Who may call a route that needs no action of its own."""

    PUBLIC = "nobody in particular"
    LOGGED_IN = "anybody logged in"


Needs = Action | Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method at one address. Nothing is served that is not one of these."""

    method: str
    path: str
    handle: Callable[[Call], Awaitable[StreamResponse]]
    needs: Needs
    summary: str
    status: int = 200
    query: type[msgspec.Struct] | None = None
    takes: type[msgspec.Struct] | None = None
    takes_type: str = ""
    gives: Any = None
    gives_type: str = ""
    located: bool = False
    bearer: bool = False
    """May be called with a live token instead of a cookie."""
    websocket: bool = False
    attempt: bool = False
    """Limited per address: a secret can be guessed here."""
    quiet: bool = False
    """Being asked without a log-in is ordinary here and stands in no ledger."""
    errors: tuple[str, ...] = field(default=())
    documented: bool = True

    @property
    def is_unsafe(self) -> bool:
        """True when a call may change something."""
        return self.method not in _SAFE

    @property
    def tag(self) -> str:
        """The first word of the address below the base."""
        return self.path.removeprefix(BASE).strip("/").split("/")[0]

    def refusals(self) -> tuple[str, ...]:
        """Every code with which a call may be refused."""
        codes = list(self.errors)
        if self.needs is not Gate.PUBLIC:
            codes.append("not_logged_in")
            if self.is_unsafe:
                codes.append("csrf")
        if not isinstance(self.needs, Gate):
            codes.append("forbidden")
        if self.attempt:
            codes.append("rate_limited")
        if self.query is not None or self.takes is not None:
            codes.append("bad_request")
        if self.is_unsafe or self.websocket:
            codes.append("wrong_origin")
        if "{" in self.path:
            codes.append("no_such")
        return tuple(sorted(set(codes)))


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def get(
    path: str,
    handle: Callable[[Call, Q], Awaitable[A]],
    *,
    query: type[Q],
    gives: type[A],
    needs: Needs,
    summary: str,
    quiet: bool = False,
    errors: tuple[str, ...] = (),
) -> Endpoint:
    """Read something; `query` is checked before `handle` sees it."""

    async def answer(call: Call) -> StreamResponse:
        return reply(await handle(call, call.query(query)))

    return Endpoint(
        method="GET",
        path=BASE + path,
        handle=answer,
        needs=needs,
        summary=summary,
        query=None if query is Nothing else query,
        gives=gives,
        quiet=quiet,
        errors=errors,
    )


def post(
    path: str,
    handle: Callable[[Call, B], Awaitable[A]],
    *,
    takes: type[B],
    gives: type[A],
    needs: Needs,
    summary: str,
    status: int = 200,
    errors: tuple[str, ...] = (),
    location: Callable[[A], str] | None = None,
) -> Endpoint:
    """Do something; the body is checked before `handle` sees it."""

    async def answer(call: Call) -> StreamResponse:
        value = await handle(call, await call.body(takes))
        headers = {"Location": location(value)} if location else None
        return reply(value, status, headers)

    return Endpoint(
        method="POST",
        path=BASE + path,
        handle=answer,
        needs=needs,
        summary=summary,
        status=status,
        takes=None if takes is Nothing else takes,
        gives=gives,
        located=location is not None,
        errors=(*errors, "too_large") if takes is not Nothing else errors,
    )


def end(
    path: str,
    handle: Callable[[Call], Awaitable[None]],
    *,
    needs: Needs,
    summary: str,
    method: str = "DELETE",
    bearer: bool = False,
    errors: tuple[str, ...] = (),
) -> Endpoint:
    """Do something that has no answer but that it is done."""

    async def answer(call: Call) -> StreamResponse:
        await handle(call)
        return Response(status=204)

    return Endpoint(
        method=method,
        path=BASE + path,
        handle=answer,
        needs=needs,
        summary=summary,
        status=204,
        bearer=bearer,
        errors=errors,
    )
