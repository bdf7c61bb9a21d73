"""Every route there is, as one table."""

from web.endpoint import Endpoint
from web.routes import (
    account,
    cameras,
    coverage,
    edges,
    events,
    ledger,
    live,
    mqtt,
    recordings,
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
        ledger,
        users,
        events,
        mqtt,
        service,
    )
    for endpoint in module.ENDPOINTS
)
