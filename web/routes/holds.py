"""Holds: footage that outlives its term, placed by one person and released by two."""

from dataclasses import asdict

from orchestrator.access import Action
from orchestrator.holds import Held, HoldRefused
from orchestrator.holds import NewHold as Wanted
from web.call import Call
from web.endpoint import Endpoint, get, post
from web.shapes import (
    Because,
    Covered,
    CoverQuery,
    ExtendHold,
    Hold,
    HoldBox,
    HoldsQuery,
    NewHold,
    Page,
)


async def holds(call: Call, asked: HoldsQuery) -> Page[Hold]:
    """List holds by id."""
    wanted = asked.limit + 1
    found = await call.centre.holds.list(wanted, asked.after or "", ended=asked.state == "all")
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    return Page(items=tuple(map(_shown, shown)), next=shown[-1].id if more else None)


async def place(call: Call, asked: NewHold) -> Hold:
    """Hold footage."""
    new = Wanted(
        cameras=await _cameras(call, asked.cameras, asked.rooms),
        start=asked.start,
        end=asked.end,
        kind=asked.kind,
        reason=asked.reason,
        review_at=asked.review_at,
        owner=asked.owner,
    )
    return _shown(await call.centre.holds.place(call.person, new, call.source))


async def cover(call: Call, asked: CoverQuery) -> Covered:
    """Say what a hold would cover."""
    wanted = await _cameras(call, _split(asked.cameras), _split(asked.rooms))
    return Covered(**asdict(await call.centre.holds.cover(wanted, asked.start, asked.end)))


async def release(call: Call, asked: Because) -> Hold:
    """Propose the end of a hold, or agree with it."""
    done = await call.centre.holds.release(call.person, call.id(), asked.reason, call.source)
    return _shown(done)


async def extend(call: Call, asked: ExtendHold) -> Hold:
    """Look at it again later."""
    done = call.centre.holds.extend(
        call.person, call.id(), asked.review_at, asked.reason, call.source
    )
    return _shown(await done)


async def _cameras(call: Call, named: tuple[str, ...], rooms: tuple[str, ...]) -> tuple[str, ...]:
    found = set(named)
    if rooms:
        by_room = {room.id: room.cameras for room in await call.centre.site.rooms()}
        for room in rooms:
            if room not in by_room:
                raise HoldRefused("no_such", f"no room {room}")
            found |= set(by_room[room])
    return tuple(sorted(found))


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _shown(held: Held) -> Hold:
    special = ("boxes", "covered")
    alike = {name: getattr(held, name) for name in Hold.__struct_fields__ if name not in special}
    return Hold(
        **alike,
        boxes=tuple(HoldBox(edge=edge, confirmed=done) for edge, done in held.boxes.items()),
        covered=Covered(**asdict(held.covered)),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    get(
        "/holds",
        holds,
        query=HoldsQuery,
        gives=Page[Hold],
        needs=Action.see_holds,
        summary="Holds by id, with what they cover and which boxes confirmed them",
    ),
    post(
        "/holds",
        place,
        takes=NewHold,
        gives=Hold,
        needs=Action.manage_holds,
        summary="Hold footage beyond its term; it counts once every box concerned confirmed it",
        status=201,
        errors=("hold_limit", "no_such"),
        location=lambda hold: f"/api/v1/holds/{hold.id}",
    ),
    get(
        "/holds/cover",
        cover,
        query=CoverQuery,
        gives=Covered,
        needs=Action.manage_holds,
        summary="What a hold of these cameras and this span would cover now",
        errors=("no_such",),
    ),
    post(
        "/holds/{id}/release",
        release,
        takes=Because,
        gives=Hold,
        needs=Action.manage_holds,
        summary="Propose the end of a hold; a second person's call releases it",
        errors=("conflict", "same_person"),
    ),
    post(
        "/holds/{id}/extend",
        extend,
        takes=ExtendHold,
        gives=Hold,
        needs=Action.manage_holds,
        summary="Set the date of review; a release that was proposed is off",
        errors=("conflict",),
    ),
)
