"""What the centre says of itself: checks for a balancer, gauges for a monitor."""

from dataclasses import dataclass

from sqlalchemy import text

from orchestrator.centre import Centre
from orchestrator.overview import Overview
from orchestrator.store import StoreAway


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that should be well."""

    name: str
    is_well: bool
    says: str
    is_needed: bool = True


async def checks(centre: Centre, overview: Overview) -> tuple[Check, ...]:
    """Look at store, broker and boxes now."""
    store = await _store(centre)
    if not store.is_well:
        return (store, _broker(centre))
    return (store, _broker(centre), await _boxes(overview), _dispatch(centre))


async def _store(centre: Centre) -> Check:
    try:
        async with centre.store.read() as connection:
            await connection.execute(text("SELECT 1"))
    except StoreAway:
        return Check("store", False, "away")
    return Check("store", True, "ok")


def _broker(centre: Centre) -> Check:
    is_up = centre.bus.is_up
    return Check("broker", is_up, "ok" if is_up else "not connected")


async def _boxes(overview: Overview) -> Check:
    seen = await overview.edges()
    online = sum(edge.state == "online" for edge in seen.values())
    return Check("boxes", online == len(seen), f"{online} of {len(seen)} online", is_needed=False)


def _dispatch(centre: Centre) -> Check:
    """Boxes that know more than the store are sent nothing until a new epoch is opened."""
    count = len(centre.dispatch.behind)
    says = f"behind {count} boxes: xunkao epoch new" if count else "ok"
    return Check("dispatch", not count, says, is_needed=False)


async def gauges(overview: Overview) -> list[tuple[str, str, float]]:
    """Give the gauges as (name, help, value)."""
    now = await overview.figures()
    return [
        ("xunkao_boxes", "Boxes that ever spoke.", now.boxes),
        ("xunkao_boxes_online", "Boxes online now.", now.boxes_online),
        ("xunkao_cameras_streaming", "Cameras whose pictures come now.", now.cameras_streaming),
        ("xunkao_cameras_recording", "Cameras being recorded now.", now.cameras_recording),
        ("xunkao_segments", "Segments in the catalogue.", now.segments),
        ("xunkao_looks_open", "Live looks open now.", now.looks_open),
        ("xunkao_facts_lag_seconds", "Delay of the slowest box's newest fact.", now.facts_lag_s),
    ]
