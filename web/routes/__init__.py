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
    ledger,
    live,
    mqtt,
    recordings,
    references,
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
        timetables,
        recordings,
        coverage,
        live,
        alerts,
        duty,
        references,
        ledger,
        users,
        events,
        mqtt,
        broker,
        service,
    )
    for endpoint in module.ENDPOINTS
)
