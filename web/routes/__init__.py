"""Every route there is, as one table."""

from web.endpoint import Endpoint
from web.routes import (
    account,
    alerts,
    cameras,
    coverage,
    duty,
    edges,
    events,
    ledger,
    live,
    mqtt,
    playbacks,
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
        playbacks,
        coverage,
        live,
        alerts,
        duty,
        references,
        ledger,
        users,
        events,
        mqtt,
        service,
    )
    for endpoint in module.ENDPOINTS
)
