"""One admitted request: who calls, and what the request says, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from aiohttp.web import HTTPRequestEntityTooLarge, Request

from orchestrator.accounts import Person
from orchestrator.centre import Centre
from web.problems import Problem

S = TypeVar("S", bound=msgspec.Struct)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query, or no body."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gate."""

    request: Request
    centre: Centre
    source: str
    """The address it comes from, past our own proxies."""
    visitor: Person | None = None
    token: str = field(default="", repr=False)
    """The session's token, or the bearer."""
    bearer: bool = False
    """Admitted by a live token, not by a cookie."""

    @property
    def person(self) -> Person:
        """Who calls; a route that is public has nobody and must not ask."""
        if self.visitor is None:
            raise Problem("not_logged_in")
        return self.visitor

    @property
    def is_secure(self) -> bool:
        """True when people reach the centre by https, here or at a proxy."""
        return self.request.secure or self.centre.config.url.startswith("https://")

    def id(self, name: str = "id") -> str:
        """Give an id out of the address; what is no id names nothing."""
        value = self.request.match_info[name]
        if not _ID.fullmatch(value):
            raise Problem("no_such")
        return value

    def query(self, kind: type[S]) -> S:
        """Decode the query; unknown and repeated names are refused."""
        asked = self.request.query
        values = dict(asked)
        if len(values) != len(asked):
            raise Problem("bad_request", "a name stands twice in the query")
        return decode_query(values, kind)

    async def body(self, kind: type[S]) -> S:
        """Decode the JSON body; unknown fields are refused, no body says nothing."""
        raw = await self._read()
        if raw and self.request.content_type != "application/json":
            raise Problem("wrong_type", "the body must be application/json")
        try:
            return msgspec.json.decode(raw or b"{}", type=kind)
        except msgspec.MsgspecError as error:
            raise Problem("bad_request", str(error)) from error

    async def text(self) -> str:
        """Give the body as text; raises Problem when it is empty or no UTF-8."""
        try:
            text = (await self._read()).decode()
        except UnicodeDecodeError as error:
            raise Problem("bad_request", "the body is not UTF-8") from error
        if not text.strip():
            raise Problem("bad_request", "the body is empty")
        return text

    async def _read(self) -> bytes:
        try:
            return await self.request.read()
        except HTTPRequestEntityTooLarge as error:
            raise Problem("too_large") from error


def decode_query(values: Mapping[str, str], kind: type[S]) -> S:
    """Decode texts to what `kind` says they are."""
    try:
        return msgspec.convert(dict(values), type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("bad_request", str(error)) from error
