"""Every route there is, as one table."""

from web.endpoint import Endpoint
from web.routes import (
    account,
    alerts,
    broker,
    cameras,
    coverage,
    duty,
    edges,
    events,
    evidence,
    forecast,
    holds,
    ledger,
    live,
    mqtt,
    outages,
    playbacks,
    recordings,
    references,
    retention,
    rooms,
    service,
    sessions,
    timetables,
    users,
)

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint
    for module in (
        account,
        rooms,
        cameras,
        edges,
        sessions,
        outages,
        timetables,
        forecast,
        recordings,
        playbacks,
        coverage,
        evidence,
        live,
        alerts,
        duty,
        references,
        holds,
        retention,
        ledger,
        users,
        events,
        mqtt,
        broker,
        service,
    )
    for endpoint in module.ENDPOINTS
)
