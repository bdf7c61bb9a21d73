"""Alerts: what is wrong, who deals with it, and how it ended."""

from collections.abc import Awaitable
from datetime import timedelta

from orchestrator.access import Action
from orchestrator.alerts.views import AlertView
from web.call import Call, Nothing
from web.endpoint import Endpoint, get, post
from web.shapes import Alert, AlertsQuery, Delivery, Page, Shelve, Solve


async def alerts(call: Call, asked: AlertsQuery) -> Page[Alert]:
    """List alerts, newest first."""
    found = await call.centre.alerts.list(asked.state, asked.after, asked.limit + 1)
    shown = found[: asked.limit]
    return Page(
        items=tuple(map(_alert, shown)),
        next=shown[-1].id if len(found) > len(shown) else None,
    )


async def take(call: Call, _: Nothing) -> Alert:
    """Deal with an alert; the first one has it."""
    return await _shown(call.centre.alerts.take(call.id(), call.person, call.source))


async def solve(call: Call, asked: Solve) -> Alert:
    """Close an alert."""
    done = call.centre.alerts.solve(call.id(), call.person, asked.reason, call.source)
    return await _shown(done)


async def shelve(call: Call, asked: Shelve) -> Alert:
    """Put an alert aside; it comes back by itself."""
    length = timedelta(minutes=asked.minutes)
    done = call.centre.alerts.shelve(call.id(), call.person, length, asked.reason, call.source)
    return await _shown(done)


async def _shown(done: Awaitable[AlertView]) -> Alert:
    return _alert(await done)


def _alert(view: AlertView) -> Alert:
    alike = {name: getattr(view, name) for name in Alert.__struct_fields__ if name != "delivery"}
    delivery = tuple(
        Delivery(phone=one.phone, person=one.person, state=one.state, at=one.at)
        for one in view.delivery
    )
    return Alert(**alike, delivery=delivery)


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/alerts",
        alerts,
        query=AlertsQuery,
        gives=Page[Alert],
        needs=Action.see_alerts,
        summary="Alerts, newest first; the open ones unless `state` is closed or all",
    ),
    post(
        "/alerts/{id}/take",
        take,
        takes=Nothing,
        gives=Alert,
        needs=Action.handle_alerts,
        summary="Deal with an alert; refused when another person does already",
        errors=("conflict",),
    ),
    post(
        "/alerts/{id}/solve",
        solve,
        takes=Solve,
        gives=Alert,
        needs=Action.handle_alerts,
        summary="Close an alert with a reason",
        errors=("conflict",),
    ),
    post(
        "/alerts/{id}/shelve",
        shelve,
        takes=Shelve,
        gives=Alert,
        needs=Action.handle_alerts,
        summary="Put an alert aside for some minutes, with a reason",
        errors=("conflict",),
    ),
)
