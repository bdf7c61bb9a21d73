"""Logging in and out, and who one is."""

from aiohttp.web import Response, StreamResponse

from web.call import Call, Nothing
from web.endpoint import BASE, Endpoint, Gate, get, reply
from web.gate import COOKIE
from web.keys import SOCKETS
from web.shapes import LoggedIn, LoginRequest, Me, SiteInfo


async def log_in(call: Call) -> StreamResponse:
    """Check name and password; the cookie holds the session, scripts cannot read it."""
    asked = await call.body(LoginRequest)
    login = await call.centre.accounts.log_in(
        asked.user, asked.password, asked.device, call.source, asked.otp or None
    )
    roles = tuple(sorted(login.person.roles))
    answer = reply(LoggedIn(user=login.person.user, roles=roles, csrf=login.csrf))
    answer.set_cookie(
        COOKIE,
        login.token,
        httponly=True,
        samesite="Strict",
        secure=call.is_secure,
        path="/",
    )
    return answer


async def log_out(call: Call) -> StreamResponse:
    """End the session, and with it every look it opened and its duty phone."""
    await call.centre.accounts.log_out(call.token, call.source)
    await call.centre.phones.end_of(call.person.login)
    await call.request.app[SOCKETS].close_of(call.person.login)
    answer = Response(status=204)
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=call.is_secure)
    return answer


async def me(call: Call, _: Nothing) -> Me:
    """Say who asks, and what the page needs to begin."""
    config = call.centre.config
    person = call.person
    return Me(
        user=person.user,
        name=person.name,
        roles=tuple(sorted(person.roles)),
        csrf=person.csrf,
        site=SiteInfo(name=config.site_name, timezone=config.timezone),
        now=call.centre.clock.now(),
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=f"{BASE}/login",
        handle=log_in,
        needs=Gate.PUBLIC,
        summary="Log in; sets the cookie xunkao_session",
        takes=LoginRequest,
        gives=LoggedIn,
        attempt=True,
        errors=("bad_credentials", "locked"),
    ),
    Endpoint(
        method="POST",
        path=f"{BASE}/logout",
        handle=log_out,
        needs=Gate.LOGGED_IN,
        summary="Log out; open looks and the duty phone end",
        status=204,
    ),
    get(
        "/me",
        me,
        query=Nothing,
        gives=Me,
        needs=Gate.LOGGED_IN,
        quiet=True,
        summary="Who is logged in",
    ),
)
