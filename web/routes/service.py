"""Is it alive, is it ready, how busy is it, and what does it offer."""

from importlib.metadata import version

from aiohttp.web import Response, StreamResponse

from web import asyncapi, metrics
from web.call import Call
from web.endpoint import BASE, Endpoint, Gate, reply
from web.keys import DOCUMENT, METRICS, OVERVIEW
from web.readiness import checks, gauges
from web.shapes import Health


async def healthz(_: Call) -> StreamResponse:
    """Say that the loop turns."""
    return reply(Health(status="ok"))


async def readyz(call: Call) -> StreamResponse:
    """Say whether store and broker answer; boxes are told, for they may come and go."""
    found = await checks(call.centre, call.request.app[OVERVIEW])
    ready = all(check.is_well for check in found if check.is_needed)
    said = {check.name: check.says for check in found}
    return reply(Health(status="ok" if ready else "not_ready", checks=said), 200 if ready else 503)


async def figures(call: Call) -> StreamResponse:
    """Give the figures as Prometheus reads them."""
    page = call.request.app[METRICS].page(await gauges(call.request.app[OVERVIEW]))
    return Response(body=page, headers={"Content-Type": metrics.CONTENT_TYPE})


async def describe_http(call: Call) -> StreamResponse:
    """Give the OpenAPI document of what this application serves."""
    return Response(body=call.request.app[DOCUMENT], content_type="application/json")


async def describe_mqtt(_: Call) -> StreamResponse:
    """Give the AsyncAPI document of the topics."""
    return reply(asyncapi.document(version("xunkao")))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/healthz",
        handle=healthz,
        needs=Gate.PUBLIC,
        summary="Alive: the process answers",
        gives=Health,
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        handle=readyz,
        needs=Gate.PUBLIC,
        summary="Ready: database and broker answer; 503 when not. Boxes are told, not required",
        gives=Health,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        handle=figures,
        needs=Gate.PUBLIC,
        summary="Figures for Prometheus; no names, no rooms",
        gives_type="text/plain",
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/openapi.json",
        handle=describe_http,
        needs=Gate.PUBLIC,
        summary="This description (OpenAPI 3.1)",
        gives_type="application/json",
    ),
    Endpoint(
        method="GET",
        path=f"{BASE}/asyncapi.json",
        handle=describe_mqtt,
        needs=Gate.PUBLIC,
        summary="The description of the MQTT topics (AsyncAPI 3)",
        gives_type="application/json",
    ),
)
