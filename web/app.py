"""The application: the table of endpoints behind the gate, the pages in front."""

import logging
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

import msgspec
from aiohttp.typedefs import Handler
from aiohttp.web import (
    Application,
    HTTPException,
    Request,
    StreamResponse,
    middleware,
)

from orchestrator.centre import Centre
from orchestrator.coverage import Coverage
from orchestrator.overview import Overview
from web import headers, openapi, pages
from web.endpoint import Endpoint
from web.gate import Gatekeeper
from web.keys import (
    CENTRE,
    COVERAGE,
    DOCUMENT,
    GATE,
    METRICS,
    OVERVIEW,
    PACE,
    PLAYBACKS,
    SOCKETS,
)
from web.metrics import Metrics
from web.pace import Pace
from web.problems import Problem, code_of_status, respond
from web.routes import ENDPOINTS
from web.shares import Shares
from web.sockets import Sockets
from web.translation import problem_of

log = logging.getLogger(__name__)

MOST_BODY = 256 * 1024
"""Bytes of a JSON or SDP body; uploads count for themselves."""
MOST_PLAYBACKS = 16
"""Recordings one person may be fetching at once."""


def create_app(
    centre: Centre,
    endpoints: tuple[Endpoint, ...] = ENDPOINTS,
    static: Path = pages.STATIC,
) -> Application:
    """Build the application over a running centre. Nothing is served but `endpoints` and pages."""
    app = Application(client_max_size=MOST_BODY, middlewares=[count, answer_problems])
    app[CENTRE] = centre
    app[GATE] = Gatekeeper(centre)
    app[METRICS] = Metrics()
    app[PLAYBACKS] = Shares(MOST_PLAYBACKS)
    app[PACE] = Pace(centre.clock)
    app[OVERVIEW] = Overview(centre.store)
    app[COVERAGE] = Coverage(centre.store)
    app[DOCUMENT] = msgspec.json.encode(openapi.document(endpoints, version("xunkao")))
    app[SOCKETS] = sockets = Sockets(centre)
    app.on_shutdown.append(lambda _: sockets.close_all())
    headers.protect(app)
    for endpoint in endpoints:
        app.router.add_route(endpoint.method, endpoint.path, guarded(endpoint))
    app.router.add_route("*", "/{page:.*}", pages.Pages(static).answer)
    return app


def guarded(endpoint: Endpoint) -> Callable[[Request], Awaitable[StreamResponse]]:
    """Give the handler that lets a request through the gate first."""

    async def handle(request: Request) -> StreamResponse:
        return await endpoint.handle(await request.app[GATE].admit(endpoint, request))

    return handle


@middleware
async def count(request: Request, handler: Handler) -> StreamResponse:
    """Count every answer by its route's pattern."""
    began = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    request.app[METRICS].count(
        request.method,
        resource.canonical if resource else "",
        response.status,
        time.perf_counter() - began,
    )
    return response


@middleware
async def answer_problems(request: Request, handler: Handler) -> StreamResponse:
    """Answer every refusal and failure with problem details; what nobody foresaw is logged."""
    try:
        return await handler(request)
    except HTTPException as error:
        return respond(Problem(code_of_status(error.status)))
    except ConnectionResetError:
        raise  # the one who asked is gone
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            log.exception("%s %s failed", request.method, request.path)
        return respond(problem or Problem("internal"))
