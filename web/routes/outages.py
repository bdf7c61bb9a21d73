"""Notices of outage: filed before a room's devices are off, withdrawn when they are not."""

from orchestrator.access import Action
from orchestrator.outages import NewOutage as Wanted
from orchestrator.outages import Outage as Filed
from web.call import Call
from web.endpoint import Endpoint, get, post
from web.shapes import Because, NewOutage, Outage, Outages, SpanQuery


async def outages(call: Call, asked: SpanQuery) -> Outages:
    """List notices that touch the span."""
    found = await call.centre.outages.list(asked.start, asked.end)
    return Outages(items=tuple(map(_shown, found)))


async def file(call: Call, asked: NewOutage) -> Outage:
    """File a notice."""
    new = Wanted(**{name: getattr(asked, name) for name in NewOutage.__struct_fields__})
    return _shown(await call.centre.outages.file(call.person, new, call.source))


async def withdraw(call: Call, asked: Because) -> Outage:
    """End a notice from now on."""
    done = call.centre.outages.withdraw(call.person, call.id(), asked.reason, call.source)
    return _shown(await done)


def _shown(one: Filed) -> Outage:
    return Outage(**{name: getattr(one, name) for name in Outage.__struct_fields__})


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/outages",
        outages,
        query=SpanQuery,
        gives=Outages,
        needs=Action.see_sessions,
        summary="Notices of outage that touch a span, withdrawn ones too",
    ),
    post(
        "/outages",
        file,
        takes=NewOutage,
        gives=Outage,
        needs=Action.plan_outages,
        summary="File a notice of outage: what is missing in its span is a planned outage",
        status=201,
        errors=("no_such", "outage_conflicts"),
        location=lambda outage: f"/api/v1/outages/{outage.id}",
    ),
    post(
        "/outages/{id}/withdraw",
        withdraw,
        takes=Because,
        gives=Outage,
        needs=Action.plan_outages,
        summary="End a notice from now on; what it has explained stays explained",
        errors=("conflict",),
    ),
)
