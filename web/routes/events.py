"""The one WebSocket on which a page hears what happens."""

from collections.abc import Mapping

import msgspec
from aiohttp.web import StreamResponse, WebSocketResponse

from contract.clock import Clock
from orchestrator.access import Action, may
from orchestrator.accounts import Person
from orchestrator.events import Event, Mailbox
from web.call import Call
from web.endpoint import Endpoint, Gate
from web.keys import SOCKETS
from web.racing import first_of

VISIBLE: Mapping[str, Action] = {
    "camera": Action.see_cameras,
    "edge": Action.see_edges,
    "session": Action.see_sessions,
    "timetable": Action.see_sessions,
    "recording": Action.see_recordings,
    "alert": Action.see_alerts,
    "duty": Action.see_alerts,
    "reference": Action.approve_reference,
    "evidence": Action.export_evidence,
    "hold": Action.see_holds,
    "outage": Action.see_sessions,
    "deletion": Action.see_holds,
}
"""Which action lets one hear of what; what does not stand here nobody hears."""

FOR_ALL = ("hello", "clock", "resync")


def may_hear(person: Person, event: Event) -> bool:
    """True when the event is for this person."""
    if event.type in FOR_ALL:
        return True
    needed = VISIBLE.get(event.type)
    return needed is not None and may(person.roles, needed)


async def events(call: Call) -> StreamResponse:
    """Say hello, then the time every second and each event that the person may hear."""
    clock = call.centre.clock
    async with (
        call.request.app[SOCKETS].accept(call) as socket,
        call.centre.events.subscribe() as mailbox,
    ):
        said = {"user": call.person.user, "now": clock.now()}
        mailbox.put(Event(type="hello", id="", at=clock.now(), data=said))
        await first_of(
            _tell(call.person, mailbox, socket), _tick(clock, mailbox), _until_closed(socket)
        )
    return socket


async def _tell(person: Person, mailbox: Mailbox, socket: WebSocketResponse) -> None:
    try:
        async for event in mailbox:
            if may_hear(person, event):
                await socket.send_str(msgspec.json.encode(event).decode())
    except ConnectionError:
        return  # the page is gone


async def _tick(clock: Clock, mailbox: Mailbox) -> None:
    while True:
        now = clock.now()
        mailbox.put(Event(type="clock", id="", at=now, data={"now": now}))
        await clock.sleep(1)


async def _until_closed(socket: WebSocketResponse) -> None:
    async for _ in socket:
        pass  # a page has nothing to say here


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/events",
        handle=events,
        needs=Gate.LOGGED_IN,
        summary="WebSocket: {type, id, at, data}; types hello, clock, camera, edge, session, "
        "recording, timetable, alert, duty, reference, evidence, hold, deletion, resync",
        status=101,
        websocket=True,
        errors=("rate_limited",),
    ),
)
