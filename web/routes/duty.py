"""Duty phones: which there are, and becoming one."""

from contract import topics
from orchestrator.access import Action
from web.call import Call
from web.endpoint import Endpoint, get, post
from web.paging import page
from web.shapes import NewPhone, OnDuty, Page, Paging, Phone


async def duty(call: Call, asked: Paging) -> Page[OnDuty]:
    """List the duty phones by id."""
    found = [
        OnDuty(
            phone=one.phone,
            post=one.post,
            person=one.name,
            present=one.present,
            since=one.since,
        )
        for one in await call.centre.duty.phones()
    ]
    return page(found, asked, key=lambda one: one.phone)


async def sign_in(call: Call, asked: NewPhone) -> Phone:
    """Make the device of this log-in a duty phone."""
    made = await call.centre.phones.make(call.person, asked.post, call.source)
    scheme, _, rest = call.centre.config.url.partition("://")
    return Phone(
        phone=made.phone,
        user=made.user,
        password=made.password,
        url=f"{'wss' if scheme == 'https' else 'ws'}://{rest}/mqtt",
        broker=call.centre.door.url,
        subscribe=topics.duty_alert(made.phone),
        text=topics.duty_text(made.phone),
        ack=topics.duty_ack(made.phone),
        presence=topics.duty_presence(made.phone),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/duty",
        duty,
        query=Paging,
        gives=Page[OnDuty],
        needs=Action.see_alerts,
        summary="Duty phones, and whether they are connected",
    ),
    post(
        "/phones",
        sign_in,
        takes=NewPhone,
        gives=Phone,
        needs=Action.handle_alerts,
        status=201,
        summary="Make this device a duty phone: a log-in at the broker, until this log-in ends",
    ),
)
