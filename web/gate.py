"""Who comes in: origin, log-in, CSRF token and role, in that order; refusals go to the ledger."""

import hmac

from aiohttp.web import Request

from orchestrator.access import Action, may
from orchestrator.centre import Centre
from orchestrator.ledger import Act
from web.call import Call
from web.endpoint import Endpoint, Gate
from web.limits import Rate, RateLimit
from web.origin import is_ours
from web.problems import Problem
from web.source import networks, source_of

COOKIE = "xunkao_session"
CSRF_HEADER = "X-CSRF-Token"

NOBODY = "anonymous"
"""The actor in the ledger where nobody is logged in."""

STRANGERS = Rate(burst=90, per_second=1.0)
"""Refusals per address before they are no longer written down one by one."""
ATTEMPTS = Rate(burst=20, per_second=0.2)
"""Log-ins and enrolments per address."""

_LONGEST_OBJECT = 200


class Gatekeeper:
    """Admits requests to endpoints, or says why not."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._proxies = networks(centre.config.trusted_proxies)
        self._strangers = RateLimit(STRANGERS, centre.clock)
        self._attempts = RateLimit(ATTEMPTS, centre.clock)

    async def admit(self, endpoint: Endpoint, request: Request) -> Call:
        """Give the call; raises Problem, after the refusal stands in the ledger."""
        source = self._source(request)
        if endpoint.attempt and (seconds := self._attempts.wait_for(source)):
            raise Problem("rate_limited", retry_after_s=seconds)
        call = await self._recognise(endpoint, request, source)
        refusal = refusal_of(endpoint, call)
        if refusal is None:
            return call
        if call.visitor is None and (seconds := self._strangers.wait_for(source)):
            raise Problem("rate_limited", retry_after_s=seconds)
        if not (endpoint.quiet and refusal.code == "not_logged_in"):
            await self._note(endpoint, call, refusal)
        raise refusal

    async def _recognise(self, endpoint: Endpoint, request: Request, source: str) -> Call:
        """Find out who asks: a bearer goes before a cookie, where one is allowed."""
        if endpoint.needs is Gate.PUBLIC:
            return Call(request, self._centre, source)
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if endpoint.bearer and scheme.lower() == "bearer":
            person = await self._centre.looks.bearer(bearer)
            return Call(request, self._centre, source, person, bearer, bearer=True)
        token = request.cookies.get(COOKIE, "")
        person = await self._centre.accounts.who(token) if token else None
        return Call(request, self._centre, source, person, token)

    async def _note(self, endpoint: Endpoint, call: Call, refusal: Problem) -> None:
        await self._centre.ledger.record(
            Act(
                actor=call.visitor.user if call.visitor else NOBODY,
                action=action_of(endpoint),
                object=call.request.path[:_LONGEST_OBJECT],
                result=refusal.code,
                source=call.source,
            )
        )

    def _source(self, request: Request) -> str:
        said = request.headers.get("X-Forwarded-For", "")
        return source_of(request.remote or "", said, self._proxies)


def refusal_of(endpoint: Endpoint, call: Call) -> Problem | None:
    """Decide: origin, log-in, CSRF token, role. A bearer is no browser's habit: no CSRF there."""
    changes = endpoint.is_unsafe or endpoint.websocket
    if changes and not call.bearer and not is_ours(call.request):
        return Problem("wrong_origin")
    if endpoint.needs is Gate.PUBLIC:
        return None
    if call.visitor is None:
        return Problem("not_logged_in")
    if endpoint.is_unsafe and not call.bearer and not _has_csrf(call):
        return Problem("csrf")
    if isinstance(endpoint.needs, Action) and not may(call.visitor.roles, endpoint.needs):
        return Problem("forbidden")
    return None


def action_of(endpoint: Endpoint) -> str:
    """Name what an endpoint does, for the ledger."""
    if isinstance(endpoint.needs, Action):
        return endpoint.needs.value
    return endpoint.tag


def _has_csrf(call: Call) -> bool:
    sent = call.request.headers.get(CSRF_HEADER, "")
    return hmac.compare_digest(sent.encode(), call.person.csrf.encode())
